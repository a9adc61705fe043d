#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "lake/upkeep/reports.h"

namespace shopstream::lake {

// What an operator should do next about a table.
struct TableAdvice {
  std::string reason, command;
};

// The state of a table's files and of its log.
struct TableHealth {
  FileTotals totals;
  int64_t most_small_files = 0;  // In one partition.
  // Removed from the table and kept for readers of older versions, as far as the log knows.
  int64_t dead_files = 0, dead_bytes = 0;
  int64_t oldest_version = 0, newest_version = 0;
  // Versions that delta.logRetentionDuration no longer protects.
  int64_t expired_versions = 0;
  std::optional<TableAdvice> advice;  // Nothing: the table is in good shape.
};
nlohmann::ordered_json ToJson(const TableHealth& health);

// From the log alone.
Result<TableHealth> ReadHealth(ObjectStore* store, const std::string& table,
                               const Snapshot& snapshot, int64_t now_ms);

// The advice by totals alone; nothing: they are fine. `most_small_files`: as above; nothing: not
// known.
std::optional<TableAdvice> AdviseCompaction(const std::string& table, int64_t files,
                                            int64_t small_files,
                                            std::optional<int64_t> most_small_files);

}  // namespace shopstream::lake
