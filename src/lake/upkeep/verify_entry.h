#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lake/delta/table_state.h"

namespace shopstream::lake {

// Checks the text of a log entry against the form that the Delta protocol requires ("Actions").
// Strict readers refuse a table for one field that is missing or has the wrong type; this program
// and others ignore it. `partition_columns`: the table's before the entry, replaced by those of its
// metaData; nothing if unknown. `find` receives each fault, with the action's path.
void CheckEntryForm(std::string_view text,
                    std::optional<std::vector<std::string>>* partition_columns,
                    const std::function<void(const std::string& reason)>& find);

// Faults in the schema and partition columns of a table that this program opens regardless.
std::vector<std::string> MetadataFaults(const TableState& state);

// The fault in a decoded path of a data file, relative to the table: empty parts, "." or "..",
// which some readers resolve and others use literally. Empty: none.
std::string PathFault(const std::string& path);

}  // namespace shopstream::lake
