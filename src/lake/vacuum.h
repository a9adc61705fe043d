#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "lake/object_store.h"
#include "lake/table.h"

namespace shopstream::lake {

// Deletes what no version needs: data files that came from a commit that did not happen, and those
// removed longer ago than delta.deletedFileRetentionDuration. What counts as a data file stands in
// data_listing.h; _delta_log and other hidden folders are never touched.
//
// Safe beside writers, optimizers and other vacuums, and however it ends, because a file goes only
// if, in this order, it
//   1. stood in a listing, older than `retention` by the store's clock;
//   2. was named by no version that had been committed by then: the newest one is read after the
//      listing, so that an append which landed in between names its file;
//   3. can be named by no later version: a writer names only files it has just written, and what
//      is older than MaxCommitAge (retention.h), at most 12 hours, is not committed.
// A version that an optimizer or a foreign writer took the file out of names it as removed, and
// spares it, for as long as readers of older versions are promised it. Each deletion stands for
// itself: a kill between two of them leaves the rest to the next vacuum, and of two vacuums at once
// the second finds nothing to delete. Nothing is written, so nothing can be left half-written.
struct VacuumOptions {
  static constexpr Millis kMinRetention = std::chrono::hours(24);
  // By the store's clock, since a file was written; the table's own
  // delta.deletedFileRetentionDuration counts if it is longer, unless `force`. Less is refused
  // unless `force`: it would take files of commits that are still under way.
  Millis retention = kMinRetention;
  bool force = false;    // Only where nothing writes to the table.
  bool dry_run = false;  // Deletes nothing, tells what would be deleted.
  // Of each file that goes, or would go; path relative to the table. May be empty.
  std::function<void(const ObjectEntry& file)> on_file;
  // Now and then; files looked at so far. May be empty.
  std::function<void(int64_t files_seen)> on_progress;
};

struct VacuumResult {
  int64_t files_seen = 0;
  int64_t files = 0;  // Deleted, or that would be.
  int64_t bytes = 0;
  int64_t uploads_given_up = 0;  // Abandoned writes of the whole lake; 0 in a dry run.
  bool finished = true;          // False: `stop` was asked before the end.
};

// IOError: the store fails; what was deleted until then is fit to be gone.
Result<VacuumResult> Vacuum(Table* table, const VacuumOptions& options,
                            const std::function<bool()>& stop);

}  // namespace shopstream::lake
