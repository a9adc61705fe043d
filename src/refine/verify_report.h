#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace shopstream::refine {

// A row that is not what the batch SQL computes.
struct VerifyDifference {
  std::string table;  // Its path.
  // missing, extra, twice; other_verdict: in Silver and not among the rejects, the other way round,
  // or with other reasons; other_value.
  std::string kind;
  std::vector<std::pair<std::string, std::optional<std::string>>> key;  // Column, value.
  std::vector<std::string> columns = {};                                // With other_value.
  std::string expected, found;                                          // For people; "": no row.
};
nlohmann::ordered_json ToJson(const VerifyDifference& difference);

// Rows that other rules, rates or SQL than the present ones decided. They are not compared.
struct EarlierRules {
  std::string fingerprint;  // "": no longer known.
  int64_t first_pass = 0;   // That used them.
  int64_t rows = 0;
  std::optional<int32_t> first_date = {}, last_date = {};  // Days since 1970.
};

struct VerifyReport {
  int64_t pass = 0;                         // 0: no pass is complete, and nothing was compared.
  std::map<std::string, int64_t> versions;  // By path.
  int64_t dates = 0;                        // Compared.
  int64_t rows = 0;                         // Of Bronze, compared.
  int64_t rows_without_coordinates = 0;     // Of Bronze, in these dates. They belong to no pass.
  int64_t gold_rows = 0;                    // Compared.
  int64_t difference_count = 0;
  std::vector<VerifyDifference> differences;  // The first of them.
  std::vector<EarlierRules> earlier_rules;
  std::map<std::string, std::string> left_out;  // Tables that were not compared, by path, and why.
  std::map<std::string, int32_t> horizons;      // By path: dates below are left alone.
  bool finished = true;                         // False: stopped early.

  bool clean() const { return finished && difference_count == 0; }
};
nlohmann::ordered_json ToJson(const VerifyReport& report);

}  // namespace shopstream::refine
