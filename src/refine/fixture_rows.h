#pragma once

#include <arrow/record_batch.h>
#include <yaml-cpp/yaml.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/yaml_reader.h"

namespace shopstream::refine {

// One value as written in a fixture, as an array of one row. Invalid: it is not of the type.
Result<std::shared_ptr<arrow::Array>> ParseFixtureValue(const YamlReader& yaml,
                                                        const YAML::Node& node,
                                                        const std::string& column,
                                                        const arrow::DataType& type);

// The value of a row's key, also of a row that it continues (`<<: *other`).
YAML::Node FixtureValue(const YAML::Node& row, const std::string& key);
// The keys of a row, also of one that it continues.
std::vector<std::string> FixtureKeys(const YAML::Node& row);

// A list of rows as rows of Bronze (PurchaseBronzeSchema). A row names only what matters to it: the
// others have the values of an ordinary purchase, and consecutive offsets. `~` is a missing value.
Result<std::shared_ptr<arrow::RecordBatch>> ParseBronzeRows(const YamlReader& yaml,
                                                            const YAML::Node& rows);

}  // namespace shopstream::refine
