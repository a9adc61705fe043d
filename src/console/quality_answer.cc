#include "console/quality_answer.h"

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/json.h"
#include "base/json_or_null.h"
#include "refine/rules.h"

namespace shopstream::console {
namespace {

using nlohmann::ordered_json;
using CountsByReason = std::map<std::string, int64_t>;

ordered_json ReasonsJson(const CountsByReason& reasons) {
  ordered_json list = ordered_json::array();
  for (const auto& [reason, rows] : reasons) list.push_back({{"reason", reason}, {"rows", rows}});
  return list;
}

ordered_json DayJson(const QualityReport& report, const DayBalance& day) {
  ordered_json out = {
      {"date", day.date.empty() ? ordered_json(nullptr) : ordered_json(day.date)},
      {"bronze_rows", OrNull(day.bronze)},
      {"silver_rows", OrNull(day.silver)},
      {"rejected_rows", OrNull(day.rejected)},
      {"duplicate_rows", OrNull(day.duplicates)},
      {"not_refined_rows", OrNull(day.not_refined)},
      {"without_coordinates_rows", OrNull(day.foreign)},
      {"difference", OrNull(day.difference)},
      {"closes", day.difference ? ordered_json(day.closes()) : ordered_json(nullptr)},
      {"expired", day.expired}};
  if (!day.difference) out["difference_unknown"] = day.difference_unknown;
  const auto reasons = report.reasons.find(day.date);
  out["reasons"] =
      ReasonsJson(reasons == report.reasons.end() ? CountsByReason() : reasons->second);
  return out;
}

CountsByReason AllReasons(const QualityReport& report) {
  CountsByReason all;
  for (const auto& [date, reasons] : report.reasons) {
    for (const auto& [reason, rows] : reasons) all[reason] += rows;
  }
  return all;
}

ordered_json RuleJson(const QualityReport& report, const std::string& name, const char* action,
                      int64_t rows) {
  ordered_json out = {{"name", name}, {"action", action}, {"rows", rows}};
  out["share"] =
      report.refined_rows > 0
          ? ordered_json(static_cast<double>(rows) / static_cast<double>(report.refined_rows))
          : ordered_json(nullptr);
  return out;
}

// Those of the rules file first, then what else is among the reasons.
ordered_json RulesJson(const QualityReport& report) {
  CountsByReason left = AllReasons(report);
  ordered_json list = ordered_json::array();
  if (report.rules != nullptr) {
    for (const refine::Rule& rule : report.rules->rules.rules) {
      ordered_json out = RuleJson(report, rule.name, NameOf(rule.action), left[rule.name]);
      left.erase(rule.name);
      // Rows that break a rule of this kind are in Silver, which does not name it.
      if (rule.action == refine::Action::kWarn && out["rows"] == 0) {
        out["rows"] = out["share"] = nullptr;
        out["rows_unknown"] = "rows that it warns of stay in Silver; refine's metrics count them";
      }
      out["owner"] = rule.owner;
      out["description"] = rule.description;
      out["in_force"] = true;
      list.push_back(std::move(out));
    }
  }
  static const std::set<std::string> kBuiltIn = {refine::kDuplicate, refine::kNotComputable,
                                                 refine::kClosedDate};
  for (const auto& [reason, rows] : left) {
    const bool built_in = kBuiltIn.contains(reason);
    ordered_json out = RuleJson(report, reason, built_in ? "built_in" : "reject", rows);
    out["in_force"] = built_in;
    if (!built_in && report.rules == nullptr) out["in_force"] = nullptr;
    list.push_back(std::move(out));
  }
  return list;
}

}  // namespace

ordered_json QualityAnswer(const QualityReport& report, const std::string& before, size_t days) {
  if (!report.has_bronze) {
    return {{"exists", false},
            {"reason", "the lake has no Bronze table yet"},
            {"remedy", "shopstream ingest"}};
  }
  ordered_json out = {{"exists", true},
                      {"refined", report.is_refined},
                      {"pass", report.pass},
                      {"complete_through_ms", OrNull(report.complete_through_ms)}};
  if (!report.is_refined) out["remedy"] = "shopstream refine";
  ordered_json versions = ordered_json::object();
  for (const auto& [path, version] : report.versions) versions[path] = version;
  out["versions"] = std::move(versions);
  out["decided_bronze_version"] = OrNull(report.decided_version);
  out["rejects_files"] = report.rejects_files;
  out["counted_files"] = report.counted_files;
  ordered_json shown = ordered_json::array();
  ordered_json older = nullptr;
  for (const DayBalance& day : report.days) {
    if (!before.empty() && !day.date.empty() && day.date >= before) continue;
    if (shown.size() == days) {
      older = shown.back()["date"];
      break;
    }
    shown.push_back(DayJson(report, day));
  }
  out["days"] = std::move(shown);
  out["all_days"] = report.days.size();
  out["older"] = std::move(older);
  out["refined_rows"] = report.refined_rows;
  out["rules"] = RulesJson(report);
  if (!report.rules_unknown.empty()) out["rules_unknown"] = report.rules_unknown;
  out["rules_since_pass"] = OrNull(report.rules_since);
  out["other_rules"] = report.other_rules;
  return out;
}

}  // namespace shopstream::console
