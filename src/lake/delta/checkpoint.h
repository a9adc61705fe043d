#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/table_state.h"
#include "lake/store/object_store.h"

namespace shopstream::lake {

// Checkpoints (Delta protocol, "Checkpoints", V1 spec): a Parquet file with one action per row.

// Reads the parts of a checkpoint of `version` into an empty state. Statistics that a file has only
// in stats_parsed are converted back to JSON; other columns added by other writers are skipped.
Result<TableState> ReadCheckpoint(ObjectStore* store, const std::vector<std::string>& parts,
                                  int64_t version);

// Checks from the footer that a part of a checkpoint is a complete Parquet file with rows.
Status CheckCheckpointFooter(ObjectStore* store, const std::string& part);

// Writes <version>.checkpoint.parquet unless it exists, and then _last_checkpoint unless that names
// a newer version. Omits tombstones that have expired by `now_ms`. Statistics are JSON whatever
// delta.checkpoint.writeStatsAsJson is set to, since every reader finds them there; stats_parsed is
// not written.
Status WriteCheckpoint(ObjectStore* store, const std::string& table_path, const TableState& state,
                       int64_t now_ms);

// The version in _last_checkpoint; -1 if it is absent or invalid: it is only a hint.
Result<int64_t> ReadCheckpointHint(ObjectStore* store, const std::string& table_path);

}  // namespace shopstream::lake
