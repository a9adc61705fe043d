#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "lake/object_store.h"

namespace shopstream::lake {

// Deletes what the log no longer needs (Delta protocol, "Metadata Cleanup"): the newest version
// older than delta.logRetentionDuration is the oldest that stays readable, and everything before
// the newest checkpoint at or below it goes. That checkpoint and all that follows it stay, so that
// whoever opens the table finds the way he would have found without the clean-up.
//
// Safe at any moment, beside writers, readers and other clean-ups:
// - What goes lies before a checkpoint a retention old, whose footer was read just now and from
//   which entries lead to the newest version without a gap; a damaged log is left as it is, since
//   what lies before the damage may be what repairs it.
// - Oldest first: whatever is left after a kill is again one contiguous end of the log.
// - A version's age is that of the youngest object up to it, so that a clock set back, or files
//   copied anew, delay the clean-up and never hasten it.
struct LogCleanUpOptions {
  // Kept at least, whatever the table's property says. A writer builds on what was the newest
  // version up to an hour ago and may take another for its put (table.cc): were that version gone,
  // the put would land in a past that nobody reads.
  Millis min_retention = std::chrono::hours(3);
  int64_t max_deletes = 5000;  // A time, so that a checkpoint's thread comes to an end.
};

struct LogCleanUpResult {
  int64_t deleted = 0;
  bool finished = true;  // False: more is left than max_deletes allows, or `stop` was asked.
};

// How long entries are kept: delta.logRetentionDuration, by default 30 days as in Delta; what is
// not understood means for ever.
int64_t LogRetentionMs(const std::map<std::string, std::string>& properties);

// `properties`: of the newest version; delta.enableExpiredLogCleanup=false keeps everything.
// `now_ms`: by the store's clock.
Result<LogCleanUpResult> CleanUpLog(ObjectStore* store, const std::string& table_path,
                                    const std::map<std::string, std::string>& properties,
                                    int64_t now_ms, const LogCleanUpOptions& options,
                                    const std::function<bool()>& stop);

// The decision alone. `objects`: a whole listing of the log, in order of path.
struct LogCleanUpPlan {
  std::vector<std::string> kept_checkpoint;  // Its parts; empty: there is nothing to delete.
  std::vector<std::string> expired;          // Paths, in the order to delete them.
};
LogCleanUpPlan PlanLogCleanUp(const std::vector<ObjectEntry>& objects, int64_t cutoff_ms);

}  // namespace shopstream::lake
