#pragma once

#include <cstdint>
#include <string>

#include "backup/manifest.h"
#include "base/status.h"
#include "lake/delta/table_state.h"
#include "lake/store/object_store.h"

// The log of a table that is being restored.
namespace shopstream::backup {

// Where the log of a restored table begins: above every version that anybody knows, because a
// writer that was suspended sends at most the next one. The log that was lost may have been newer
// than `known`, also one that an earlier restore of the same backup began. So the version is at
// least the microseconds since the Unix epoch: no table gets a commit per microsecond. It is exact
// in a double until the year 2255.
int64_t VersionAbove(int64_t known, int64_t now_ms);

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
