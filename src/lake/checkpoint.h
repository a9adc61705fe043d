#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/object_store.h"
#include "lake/table_state.h"

namespace shopstream::lake {

// Checkpoints (Delta protocol, "Checkpoints", V1 spec): a Parquet file with one action a row.

// Reads the parts of a checkpoint of `version` into an empty state. Where a file's statistics are
// in stats_parsed alone, they become JSON again; other columns that other writers add are skipped.
Result<TableState> ReadCheckpoint(ObjectStore* store, const std::vector<std::string>& parts,
                                  int64_t version);

// That a part of a checkpoint is a whole Parquet file with rows, by its footer.
Status CheckCheckpointFooter(ObjectStore* store, const std::string& part);

// Writes <version>.checkpoint.parquet, unless it is there, and then _last_checkpoint, unless that
// names a newer one. Tombstones expired by `now_ms` are left out. Statistics are in it as JSON,
// whatever delta.checkpoint.writeStatsAsJson says: every reader finds them there, and stats_parsed
// is not written.
Status WriteCheckpoint(ObjectStore* store, const std::string& table_path, const TableState& state,
                       int64_t now_ms);

// The version _last_checkpoint names; -1 where it is absent or makes no sense: it is only a hint.
Result<int64_t> ReadCheckpointHint(ObjectStore* store, const std::string& table_path);

}  // namespace shopstream::lake
