#include "tables/record_types.h"

#include "base/json.h"
#include "base/unicode_names.h"
#include "tables/names.h"

namespace shopstream::tables {
namespace {

// The name of a folder has at most 255 bytes in most file systems.
constexpr size_t kLongestPath = 200;

}  // namespace

Result<std::unique_ptr<lake::Table>> OpenSideTable(lake::ObjectStore* store,
                                                   const std::string& path,
                                                   const std::string& type) {
  auto table = lake::Table::Open(store, path);
  if (!table.status().IsKeyError()) return table;
  return Status::Invalid("table ", path, " of record type ", type,
                         " is missing: restore it from a backup");
}

std::string Format(const RecordTypes& types) { return DumpJson(nlohmann::json(types)); }

Result<RecordTypes> ReadRecordTypes(const lake::Snapshot& bronze) {
  RecordTypes types;
  const std::string* text = lake::FindProperty(bronze, kTypesProperty);
  if (text == nullptr) return types;
  const nlohmann::json stored = ParseJson(*text);
  const auto broken = [&] {
    return Status::Invalid("the table's property ", kTypesProperty,
                           " does not map record types to tables: ", *text);
  };
  if (!stored.is_object()) return broken();
  for (const auto& [type, path] : stored.items()) {
    if (!path.is_string()) return broken();
    types[type] = path.get<std::string>();
  }
  return types;
}

std::string SideTablePath(const std::string& bronze_table, const std::string& type) {
  std::string name = FoldCase(type);
  for (char& letter : name) {
    if (letter == '.') letter = '-';
  }
  return bronze_table + "-" + name;
}

Status CheckNewType(const RecordTypes& known, const std::string& type, const std::string& path,
                    const std::string& quarantine_table) {
  const auto refuse = [&](const auto&... why) {
    return Status::Invalid("record type ", type, " cannot have the table ", path, ": ", why...);
  };
  if (path.size() > kLongestPath) return refuse("its name is too long");
  if (path == quarantine_table) return refuse("lake.quarantine_table has that name");
  for (const auto& [other, taken] : known) {
    if (taken == path && other != type) return refuse("type ", other, " has it");
  }
  if (known.size() >= kMaxRecordTypes && !known.contains(type)) {
    return refuse("the topic already has ", known.size(), " types with their own tables");
  }
  return Status::OK();
}

}  // namespace shopstream::tables
