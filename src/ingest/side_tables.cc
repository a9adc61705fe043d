#include "ingest/side_tables.h"

#include <utility>

#include "avro/node.h"
#include "base/error_kind.h"
#include "base/join.h"
#include "base/json.h"
#include "base/log.h"
#include "ingest/table_growth.h"
#include "tables/names.h"
#include "tables/record_types.h"

namespace shopstream::ingest {
namespace {

// The type whose rows the table has. Invalid: it is another program's table, which must not get
// ours.
Result<std::string> TypeOf(const lake::Table& side, const std::string& bronze) {
  const auto snapshot = side.snapshot();
  const std::string* of = lake::FindProperty(*snapshot, tables::kSideOfProperty);
  ARROW_ASSIGN_OR_RAISE(const auto schema, ReadReaderSchema(*snapshot));
  if (of != nullptr && *of == bronze && schema) return schema->root().name;
  return Status::Invalid("table ", side.path(), " exists, but is not a side table of ", bronze,
                         ": move it away, or set lake.bronze_table to a new table");
}

// Whether Bronze announces the type now. False: it must not.
Result<bool> AnnounceType(const std::string& type, const std::string& path,
                          const std::string& quarantine, lake::Table* bronze,
                          const std::function<bool(const lake::Snapshot&)>& allows,
                          BootClock::time_point deadline) {
  ARROW_ASSIGN_OR_RAISE(const auto known, tables::ReadRecordTypes(*bronze->snapshot()));
  if (known.contains(type)) return true;
  bool there = false;
  const auto prepare = [&](const lake::Snapshot& snapshot) -> Result<lake::ChangesOrRefusal> {
    ARROW_ASSIGN_OR_RAISE(auto types, tables::ReadRecordTypes(snapshot));
    there = types.contains(type);
    if (there) return lake::Refusal{"another writer has announced the table"};
    if (!allows(snapshot)) return lake::Refusal{"another consumer has the records"};
    const Status free = tables::CheckNewType(types, type, path, quarantine);
    if (!free.ok()) return lake::Refusal{free.message()};
    types[type] = path;
    lake::Changes changes;
    changes.operation = "ADD RECORD TYPE";
    changes.info = nlohmann::json{{"recordType", type}, {"table", path}};
    changes.growth =
        lake::TableGrowth{.columns = snapshot.schema(),
                          .properties = {{tables::kTypesProperty, tables::Format(types)}}};
    return changes;
  };
  ARROW_ASSIGN_OR_RAISE(const lake::CommitResult result, bronze->Commit(prepare, deadline));
  if (result.outcome == lake::CommitOutcome::kUnknown) {
    return Unavailable("storage did not report whether a commit to ", bronze->path(),
                       " took effect: ", result.detail);
  }
  const bool committed = result.outcome == lake::CommitOutcome::kCommitted;
  if (committed) Log::Info("Records of type {} have their own table: {}.", type, path);
  if (!committed && !there) Log::Info("Table {} was not added: {}.", path, result.detail);
  return committed || there;
}

}  // namespace

Status SideTables::CheckSetting(const lake::Snapshot& bronze) const {
  ARROW_ASSIGN_OR_RAISE(const tables::RecordTypes types, tables::ReadRecordTypes(bronze));
  if (options_.side_tables || types.empty()) return Status::OK();
  std::vector<std::string> names;
  for (const auto& [type, path] : types) names.push_back(type + " (" + path + ")");
  return Status::Invalid("ingest.record_types is one, but table ", options_.table,
                         " has side tables for other record types: ", Joined(names, ", "),
                         ". Set it to each");
}

Status SideTables::OpenAnnounced(const lake::Snapshot& bronze) {
  ARROW_RETURN_NOT_OK(CheckSetting(bronze));
  ARROW_ASSIGN_OR_RAISE(const tables::RecordTypes types, tables::ReadRecordTypes(bronze));
  for (const auto& [type, path] : types) {
    if (Find(path) != nullptr) continue;
    ARROW_ASSIGN_OR_RAISE(auto table, tables::OpenSideTable(store_, path, type));
    Keep(std::move(table));
  }
  return Status::OK();
}

Result<std::unique_ptr<lake::Table>> SideTables::OpenOrCreate(const BronzeLayout& layout) {
  const std::string& path = layout.options.table;
  auto table = lake::Table::Open(store_, path);
  if (table.status().IsKeyError()) {
    lake::TableSpec spec = layout.table;
    spec.properties[tables::kSideOfProperty] = options_.table;
    ARROW_RETURN_NOT_OK(lake::Table::Create(store_, spec));
    table = lake::Table::Open(store_, path);
  }
  ARROW_RETURN_NOT_OK(table.status());
  return table;
}

Result<lake::Table*> SideTables::Provide(const BronzeLayout& layout, lake::Table* bronze,
                                         const std::function<bool(const lake::Snapshot&)>& allows,
                                         BootClock::time_point deadline) {
  std::unique_ptr<lake::Table> opened;
  lake::Table* table = Find(layout.options.table);
  if (table == nullptr) {
    ARROW_ASSIGN_OR_RAISE(opened, OpenOrCreate(layout));
    table = opened.get();
  }
  ARROW_ASSIGN_OR_RAISE(const std::string type, TypeOf(*table, options_.table));
  // Also for another type, whose writer may have died just after it created the table.
  ARROW_ASSIGN_OR_RAISE(
      const bool announced,
      AnnounceType(type, table->path(), options_.quarantine_table, bronze, allows, deadline));
  if (!announced) return nullptr;  // It is not kept: its type must not count as one of Bronze's.
  if (opened != nullptr) table = Keep(std::move(opened));
  return type == layout.reader_schema.root().name ? table : nullptr;
}

lake::Table* SideTables::Keep(std::unique_ptr<lake::Table> table) {
  if (wrap_) table = wrap_(std::move(table));
  const std::lock_guard lock(mutex_);
  // Another thread may have opened it meanwhile; that one is used.
  return open_.try_emplace(table->path(), std::move(table)).first->second.get();
}

std::vector<lake::Table*> SideTables::Open() const {
  const std::lock_guard lock(mutex_);
  std::vector<lake::Table*> tables;
  for (const auto& [path, table] : open_) tables.push_back(table.get());
  return tables;
}

lake::Table* SideTables::Find(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(path);
  return found == open_.end() ? nullptr : found->second.get();
}

}  // namespace shopstream::ingest
