#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "lake/upkeep/reports.h"
#include "tables/archive.h"
#include "tables/table_layout.h"

// What people want to know about a version of a table: `table describe` and the console show it.
namespace shopstream::ingest {

// A column of a table.
struct ColumnFacts {
  std::string name, type;
  bool nullable = true;
  std::optional<int64_t> partition;  // Its position, from 1.
  std::optional<std::string> field;  // The path of the record's field; nothing for our own columns.
  std::string note;
};

struct TableFacts {
  std::string name;
  int64_t version = 0;
  lake::FileTotals totals;
  std::optional<int64_t> committed_ms;  // Nothing: its entry is no longer in the log.
  // What Kafka held at this time is in the table; nothing: unknown, or of another table.
  std::optional<int64_t> complete_through_ms;
  std::vector<ColumnFacts> columns;
  std::optional<tables::TableLayout> layout;
  std::optional<tables::ArchiveLink> archive;  // Where older rows are.
  std::string warning;
};

nlohmann::ordered_json ToJson(const TableFacts& facts);

Result<TableFacts> ReadTableFacts(lake::ObjectStore* store, const Config& config,
                                  const std::string& table, const lake::Snapshot& snapshot);

}  // namespace shopstream::ingest
