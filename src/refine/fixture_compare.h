#pragma once

#include <arrow/record_batch.h>
#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/yaml_reader.h"

namespace shopstream::refine {

// A row that is expected and the row found in its place, as text for people; "": there is none.
struct RowDifference {
  std::string expected, found;
  std::vector<std::string> columns = {};  // Those that differ, if there are both rows.

  bool operator==(const RowDifference&) const = default;
};

// A value as a fixture writes it; "~": null.
std::string FixtureText(const arrow::Array& values, int64_t row);

// Compares the rows with a fixture's list, in any order. Only the columns that a row of the list
// names are compared. Invalid: the list names a column that the rows do not have, or a value that
// is none of its type.
Result<std::vector<RowDifference>> CompareRows(const YamlReader& yaml, const YAML::Node& expected,
                                               const arrow::RecordBatch& found);

}  // namespace shopstream::refine
