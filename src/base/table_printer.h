#pragma once

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

namespace shopstream {

// Rows for a person (aligned columns, numbers to the right) or, with --json, for a program (an
// array of objects whose keys are the column names, numbers as numbers).
class TablePrinter {
 public:
  explicit TablePrinter(std::vector<std::string> columns);
  void AddRow(std::vector<nlohmann::json> cells);  // As many as there are columns.
  void Print(std::ostream& out, bool as_json) const;

 private:
  std::vector<std::string> columns_;
  std::vector<std::vector<nlohmann::json>> rows_;
};

// 1234567 -> "1,234,567"; 1536 -> "1.5 KiB"; 95000 ms -> "1 min 35 s".
std::string FormatCount(int64_t count);
std::string FormatBytes(int64_t bytes);
std::string FormatMillis(int64_t millis);

// The candidate nearest to `name` by edit distance, or "" where none is near.
std::string NearestName(const std::string& name, const std::vector<std::string>& candidates);

}  // namespace shopstream
