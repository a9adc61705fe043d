#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lake/table_state.h"

namespace shopstream::lake {

// Whether the text of a log entry has the form that the Delta protocol demands ("Actions"): strict
// readers refuse a table for one field that is missing or of another type, while this program and
// others pass over it. `partition_columns`: the table's before the entry, replaced by those of its
// metaData; nothing where they are not known. `find` is told each fault, with the action's path.
void CheckEntryForm(std::string_view text,
                    std::optional<std::vector<std::string>>* partition_columns,
                    const std::function<void(const std::string& reason)>& find);

// What is wrong with the schema and the partition columns of a table that this program opens all
// the same; empty: nothing.
std::vector<std::string> MetadataFaults(const TableState& state);

// What is wrong with a decoded path of a data file, relative to the table: parts that are empty,
// "." or "..", which some readers resolve and others look up as they are. Empty: nothing.
std::string PathFault(const std::string& path);

}  // namespace shopstream::lake
