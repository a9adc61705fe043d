#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "lake/store/object_store.h"

namespace shopstream::lake {

// Deletes what the log no longer needs (Delta protocol, "Metadata Cleanup"): the newest version
// older than delta.logRetentionDuration is the oldest that stays readable, and everything before
// the newest checkpoint at or below it is deleted. That checkpoint and everything after it are
// kept, so that opening the table works in the same way as without the clean-up.
//
// Safe at any moment, alongside writers, readers and other clean-ups:
// - The deleted objects are before a checkpoint older than the retention, whose footer was just
//   read and from which entries lead to the newest version without a gap. In a damaged log nothing
//   is deleted, because the objects before the damage may be needed to repair it.
// - Oldest first: after a kill the remaining objects are again the contiguous end of the log.
// - A version is as old as the youngest object up to it, so that a clock set back, or files copied
//   again, can only delay the clean-up.
struct LogCleanUpOptions {
  // Minimum retention, whatever the table's property says. A writer builds on what was the newest
  // version up to an hour ago and may take another hour for its put (table.cc); if that version
  // were deleted, the put would create a version that nobody reads.
  Millis min_retention = std::chrono::hours(3);
  int64_t max_deletes = 5000;  // Per run, so that a checkpoint's thread finishes.
};

struct LogCleanUpResult {
  int64_t deleted = 0;
  bool finished = true;  // False: more was left than max_deletes allows, or `stop` returned true.
};

// How long entries are kept: delta.logRetentionDuration, by default 30 days as in Delta; forever if
// the duration is not understood.
int64_t LogRetentionMs(const std::map<std::string, std::string>& properties);

// `properties`: those of the newest version; delta.enableExpiredLogCleanup=false keeps everything.
// `now_ms`: by the server's clock.
Result<LogCleanUpResult> CleanUpLog(ObjectStore* store, const std::string& table_path,
                                    const std::map<std::string, std::string>& properties,
                                    int64_t now_ms, const LogCleanUpOptions& options,
                                    const std::function<bool()>& stop);

// The decision alone. `objects`: a complete listing of the log, sorted by path.
struct LogCleanUpPlan {
  std::vector<std::string> kept_checkpoint;  // Its parts; empty: nothing to delete.
  std::vector<std::string> expired;          // Paths, in the order to delete them.
};
LogCleanUpPlan PlanLogCleanUp(const std::vector<ObjectEntry>& objects, int64_t cutoff_ms);

}  // namespace shopstream::lake
