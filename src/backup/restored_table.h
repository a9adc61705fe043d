#pragma once

#include <cstdint>
#include <string>

#include "backup/manifest.h"
#include "base/status.h"
#include "lake/delta/table_state.h"
#include "lake/store/object_store.h"

// The log of a table that is being restored.
namespace shopstream::backup {

// A restored log begins this far above the versions that anybody knows. A writer that was suspended
// sends at most the next version, and no table gets this many commits between a backup and a
// restore: at one commit per second it takes 11 days.
inline constexpr int64_t kVersionsAbove = 1'000'000;

// Of a table's log in the lake.
struct LogContent {
  int64_t objects = 0;
  int64_t newest = -1;        // The highest version among its names; -1: none.
  bool has_foreign = false;   // An entry or checkpoint at another version than the expected one.
  bool has_expected = false;  // One at that version.
};
// `expected`: the version of a restore that was begun; -1: none was.
Result<LogContent> LookAtLog(lake::ObjectStore* lake, const std::string& table, int64_t expected);

// Deletes all of it, the newest version first. Objects that appear meanwhile stay.
Status DeleteLog(lake::ObjectStore* lake, const std::string& table);

// The backed-up table as version `version` of a new table: with another id, without tombstones, its
// files named as the restore names them.
Result<lake::TableState> RestoredState(const lake::TableState& backed_up, int64_t version,
                                       const std::string& restore_id);

// Writes the entry, then the checkpoint, by which the table becomes visible. OK also if this
// restore has done it before. Refused: another program has written the version.
Status PublishLog(lake::ObjectStore* lake, const std::string& table, const lake::TableState& state,
                  const std::string& restore_id, const std::string& backup);

}  // namespace shopstream::backup
