#include "refine/stop_decision.h"

#include <algorithm>

namespace shopstream::refine {
namespace {

// A row that an identical one precedes, or whose date is closed, says nothing about its producer.
bool IsOfRules(const std::string& reason) { return reason != kDuplicate && reason != kClosedDate; }

bool IsStopRule(const Rules& rules, const std::string& name) {
  return std::ranges::any_of(rules.rules, [&](const Rule& rule) {
    return rule.action == Action::kStop && rule.name == name;
  });
}

bool IsAbove(const StopAbove& limit, int64_t found, int64_t rows) {
  return static_cast<double>(found) * 100 > limit.percent * static_cast<double>(rows);
}

}  // namespace

StopDecision DecideStop(const Tally& tally, const Rules& rules,
                        const std::set<std::string>& accepted) {
  StopDecision most;
  for (const auto& [reason, found] : tally.by_reason) {
    if (!IsOfRules(reason) || accepted.contains(reason)) continue;
    if (IsStopRule(rules, reason)) return {StopDecision::Kind::kHalt, reason, found};
    if (!rules.stop_above || !IsAbove(*rules.stop_above, found, tally.rows)) continue;
    const bool enough = tally.rows >= rules.stop_above->rows;
    if (found <= most.found) continue;
    most = {enough ? StopDecision::Kind::kHalt : StopDecision::Kind::kMoreRows, reason, found};
  }
  return most;
}

}  // namespace shopstream::refine
