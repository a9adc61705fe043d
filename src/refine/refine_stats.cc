#include "refine/refine_stats.h"

#include <chrono>
#include <utility>

#include "base/format.h"
#include "base/json.h"

namespace shopstream::refine {
std::string Describe(const PassReport& report) {
  std::string text = "pass " + FormatCount(report.pass) + ": " + Counted(report.rows, "row") +
                     ", " + FormatCount(report.silver) + " to Silver";
  if (report.rejects() == 0) return text;
  text += ", " + FormatCount(report.rejects()) + " rejected (";
  bool first = true;
  for (const auto& [reason, count] : report.rejected) {
    text += (std::exchange(first, false) ? "" : ", ") + reason + " " + FormatCount(count);
  }
  return text + ")";
}

RefineStats::RefineStats() {
  SetStandby(false);
  SetHalted("");
  SetDegraded(false);
}

void RefineStats::OnPass(const PassReport& report, int64_t wall_clock_ms) {
  const BootClock::time_point now = BootClock::now();
  if (!first_begun_) first_begun_ = now - report.took;
  last_done_ = now;
  last_ = report;
  passes_.Add();
  rows_.Add(report.rows);
  silver_.Add(report.silver);
  without_coordinates_.Add(report.without_coordinates);
  for (const auto& [reason, count] : report.rejected) rejected_.With({reason}).Add(count);
  for (const auto& [rule, count] : report.warned) warned_.With({rule}).Add(count);
  last_pass_timestamp_.Set(static_cast<double>(wall_clock_ms) / 1000);
  pass_seconds_.Observe(report.took);
}

void RefineStats::ShowRules(const Rules& rules) {
  for (const char* reason : {kNotComputable, kDuplicate, kClosedDate}) rejected_.With({reason});
  for (const Rule& rule : rules.rules) {
    if (rule.action == Action::kReject) rejected_.With({rule.name});
    if (rule.action == Action::kWarn) warned_.With({rule.name});
  }
}

void RefineStats::SetHalted(std::string rule) {
  halted_rule_ = std::move(rule);
  halted_.Set(halted_rule_.empty() ? 0 : 1);
}

void RefineStats::SetRetried(std::string why) {
  retried_why_ = std::move(why);
  if (!retried_why_.empty()) retries_.Add();
}

std::optional<int64_t> RefineStats::lag() const {
  const std::optional<double> rows = lag_.value();
  return rows ? std::optional(static_cast<int64_t>(*rows)) : std::nullopt;
}

double RefineStats::seconds() const {
  if (!first_begun_ || !last_done_) return 0;
  return std::chrono::duration<double>(*last_done_ - *first_begun_).count();
}

int64_t RefineStats::rows_per_second() const {
  const double duration = seconds();
  return duration > 0 ? static_cast<int64_t>(static_cast<double>(rows()) / duration) : 0;
}

nlohmann::json ToJson(const RefineStats& stats) {
  return {{"passes", stats.passes()},
          {"rows", stats.rows()},
          {"silver", stats.silver()},
          {"rejects", stats.rows() - stats.silver()},
          {"rejected_by_reason", stats.rejected()},
          {"warned_by_rule", stats.warned()},
          {"rows_without_coordinates", stats.without_coordinates()},
          {"lost_to_another_refine", stats.lost()},
          {"halted", stats.halted()},
          {"seconds", stats.seconds()},
          {"rows_per_second", stats.rows_per_second()}};
}

}  // namespace shopstream::refine
