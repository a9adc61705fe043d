#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "base/status.h"
#include "lake/delta/table.h"

// The record types of a topic besides the one that is in Bronze. Each has its own table, a side
// table.
namespace shopstream::tables {

// The path of each type's table, by the type's full name. Bronze's property shopstream.types
// stores it as a JSON object. A type is in it before its table has rows, and is never removed.
using RecordTypes = std::map<std::string, std::string>;

// Each needs a table with its own log, and files in every cut.
inline constexpr size_t kMaxRecordTypes = 50;

std::string Format(const RecordTypes& types);
// Empty: all rows are in Bronze. Invalid: the property is not such an object.
Result<RecordTypes> ReadRecordTypes(const lake::Snapshot& bronze);

// The path of a type's table: Bronze's, "-", and the full name in lower case with "-" for ".".
std::string SideTablePath(const std::string& bronze_table, const std::string& type);

// Opens a table that Bronze names. Invalid if it is missing.
Result<std::unique_ptr<lake::Table>> OpenSideTable(lake::ObjectStore* store,
                                                   const std::string& path,
                                                   const std::string& type);

// Invalid: the type cannot get this table, because another type has it, the quarantine has it, its
// name is too long, or there are too many types.
Status CheckNewType(const RecordTypes& known, const std::string& type, const std::string& path,
                    const std::string& quarantine_table);

}  // namespace shopstream::tables
