#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "refine/refine_tables.h"
#include "tables/refine_halt.h"
#include "tables/refine_task.h"

namespace shopstream::refine {

struct TableStanding {
  std::string table;
  int64_t version = 0;
  int64_t rows = 0;                            // -1: a file's writer did not count them.
  std::optional<int64_t> pass;                 // Of refine's tables.
  std::optional<int64_t> complete_through_ms;  // Likewise, since 1970; nothing: unknown.
  // False: a Gold table that is more than a pass behind, because its SQL file is gone.
  bool filled = true;
};

// What is left of one Kafka partition.
struct PartitionLag {
  std::string topic_id;
  int32_t partition = 0;
  int64_t refined = 0, bronze = 0;  // Offsets up to which each is.
};

struct RefineStatus {
  std::vector<TableStanding> tables;  // Bronze, rejects, Silver, then Gold by name.
  std::vector<PartitionLag> partitions;
  std::optional<tables::RefineHalt> halt;
  std::optional<tables::RefineTask> task;  // The open one.
  std::optional<int64_t> bronze_seen;      // Bronze's version that the last pass saw.
  std::string rules;        // Fingerprint of the rules of the last pass; empty: no pass.
  int64_t rules_since = 0;  // The first pass with them.
  // Everything that Kafka received before this time is in all tables, as far as it is known.
  std::optional<int64_t> complete_through_ms;

  int64_t rows_left() const;
  // Whether all tables that refine fills hold the same pass, and no task is open.
  bool complete() const;
};
nlohmann::ordered_json ToJson(const RefineStatus& status);

// KeyError: there is no Bronze, or refine has not run yet.
Result<RefineStatus> ReadRefineStatus(lake::ObjectStore* store, const RefinePaths& paths);

// The pass that a stop rule halts is committed nevertheless, with what the rule rejects among the
// rejects. Returns what is accepted. KeyError: this rule halts nothing.
Result<tables::RefineHalt> AcceptHalt(lake::Table* rejects, const std::string& rule);

}  // namespace shopstream::refine
