#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"

namespace shopstream::lake {

// A table as of an earlier version, as far back as its log goes: delta.logRetentionDuration. Its
// files are still there if no vacuum has deleted them: delta.deletedFileRetentionDuration.

// KeyError: no such table. Invalid: the table has not reached the version. Gone: its log no longer
// has it; the message names the oldest version that it has.
Result<std::shared_ptr<const Snapshot>> SnapshotAt(ObjectStore* store,
                                                   const std::string& table_path, int64_t version);

// The newest version committed at this time or earlier; the newest of all for a later time. Times
// are those of `table history`, by the clocks of the writers: if these differ by some seconds, so
// may the answer. Reads a few entries, not all. Gone: the log begins later; the message names its
// oldest version and time. Other errors: as SnapshotAt.
Result<int64_t> VersionAt(ObjectStore* store, const std::string& table_path, int64_t unix_ms);

// When a version was committed, since 1970 in milliseconds: by commitInfo, otherwise when its entry
// was stored. Nothing: the log does not have its entry.
Result<std::optional<int64_t>> CommitTime(ObjectStore* store, const std::string& table_path,
                                          int64_t version);

}  // namespace shopstream::lake
