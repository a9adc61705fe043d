#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"

namespace shopstream::lake {

// Deletes what no version needs: data files of commits that never completed, and files removed
// longer ago than delta.deletedFileRetentionDuration. data_listing.h defines what counts as a data
// file; _delta_log and other hidden folders are never touched.
//
// Safe alongside writers, optimizers and other vacuums, and however it stops, because a file is
// deleted only if, in this order, it
//   1. was in a listing, older than `retention` by the server's clock;
//   2. was named by no version committed by then: the newest one is read after the
//      listing, so that an append which completed in between names its file;
//   3. can be named by no later version: a writer names only files it has just written, and files
//      older than MaxCommitAge (retention.h), at most 12 hours, are not committed.
// A version from which an optimizer or a foreign writer removed the file names it as removed, and
// so protects it as long as readers of older versions may need it. Each deletion is independent:
// after a kill between two of them the next vacuum does the rest, and of two concurrent vacuums the
// second finds nothing to delete. Nothing is written, so nothing can be half-written.
struct VacuumOptions {
  static constexpr Millis kMinRetention = std::chrono::hours(24);
  // Minimum age by the server's clock since a file was written; the table's own
  // delta.deletedFileRetentionDuration applies if it is longer, unless `force`. A lower value is
  // refused unless `force`, because files of commits in progress would be deleted.
  Millis retention = kMinRetention;
  bool force = false;    // Only if nothing writes to the table.
  bool dry_run = false;  // Deletes nothing, reports what would be deleted.
  // Called for each deleted file; path relative to the table. May be empty.
  std::function<void(const ObjectEntry& file)> on_file;
  // Called from time to time with the number of files examined. May be empty.
  std::function<void(int64_t files_seen)> on_progress;
};

struct VacuumResult {
  int64_t files_seen = 0;
  int64_t files = 0;  // Deleted, or in a dry run to be deleted.
  int64_t bytes = 0;
  int64_t uploads_given_up = 0;  // Abandoned writes in the whole lake; 0 in a dry run.
  bool finished = true;          // False: `stop` returned true before the end.
};

// IOError: the store failed; the files deleted before that were safe to delete.
Result<VacuumResult> Vacuum(Table* table, const VacuumOptions& options,
                            const std::function<bool()>& stop);

}  // namespace shopstream::lake
