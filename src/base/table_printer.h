#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "base/format.h"  // IWYU pragma: export

namespace shopstream {

// A cell whose value may be missing.
template <typename T>
nlohmann::json OrNull(const std::optional<T>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

// Rows for a person (aligned columns, numbers right-aligned, null as "-") or, with --json, for a
// program (an array of objects whose keys are the column names, with numbers as numbers).
class TablePrinter {
 public:
  explicit TablePrinter(std::vector<std::string> columns);
  void AddRow(std::vector<nlohmann::json> cells);  // Exactly one per column.
  void Print(std::ostream& out, bool as_json) const;

 private:
  void PrintText(std::ostream& out) const;
  void PrintJson(std::ostream& out) const;

  std::vector<std::string> columns_;
  std::vector<std::vector<nlohmann::json>> rows_;
};

}  // namespace shopstream
