#include "refine/verify_report.h"

#include "base/json.h"
#include "model/calendar.h"

namespace shopstream::refine {
namespace {

nlohmann::ordered_json DateJson(std::optional<int32_t> date) {
  return date ? nlohmann::ordered_json(FormatDate(*date)) : nlohmann::ordered_json();
}

}  // namespace

nlohmann::ordered_json ToJson(const VerifyDifference& difference) {
  nlohmann::ordered_json key = nlohmann::ordered_json::object();
  for (const auto& [column, value] : difference.key) {
    key[column] = value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
  }
  return {{"table", difference.table},       {"kind", difference.kind},
          {"key", std::move(key)},           {"columns", difference.columns},
          {"expected", difference.expected}, {"found", difference.found}};
}

nlohmann::ordered_json ToJson(const VerifyReport& report) {
  nlohmann::ordered_json differences = nlohmann::ordered_json::array();
  for (const VerifyDifference& difference : report.differences) {
    differences.push_back(ToJson(difference));
  }
  nlohmann::ordered_json earlier = nlohmann::ordered_json::array();
  for (const EarlierRules& rules : report.earlier_rules) {
    earlier.push_back({{"fingerprint", rules.fingerprint},
                       {"first_pass", rules.first_pass},
                       {"rows", rules.rows},
                       {"first_date", DateJson(rules.first_date)},
                       {"last_date", DateJson(rules.last_date)}});
  }
  nlohmann::ordered_json horizons = nlohmann::ordered_json::object();
  for (const auto& [path, date] : report.horizons) horizons[path] = FormatDate(date);
  return {{"pass", report.pass},
          {"versions", report.versions},
          {"finished", report.finished},
          {"dates", report.dates},
          {"rows", report.rows},
          {"rows_without_coordinates", report.rows_without_coordinates},
          {"gold_rows", report.gold_rows},
          {"difference_count", report.difference_count},
          {"differences", std::move(differences)},
          {"earlier_rules", std::move(earlier)},
          {"left_out", report.left_out},
          {"horizons", std::move(horizons)}};
}

}  // namespace shopstream::refine
