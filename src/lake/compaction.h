#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "base/clock.h"
#include "base/retry.h"
#include "base/status.h"
#include "lake/compaction_plan.h"
#include "lake/table.h"

namespace shopstream::lake {

struct CompactionOptions {
  CompactionPlanOptions plan;
  int64_t memory_bytes = 64 << 20;  // Rows, row groups and buffers together; at least 8 MiB.
  // A commit publishes as many merges as come to this: many tiny ones share it, while a conflict
  // costs no more than that much work.
  int64_t commit_groups = 64;
  int64_t commit_bytes = 256 << 20;
  // No merge is added to a commit that is this old. A table whose retention leaves a commit less
  // time than this is refused as Invalid.
  Millis commit_interval{30'000};
  // No merge is begun once so much was read; what is left is for the next run.
  int64_t max_bytes = std::numeric_limits<int64_t>::max();
  Millis commit_deadline{10'000};
  // With a pass that brought nothing: others were faster, or storage failed.
  BackoffOptions patience{
      .first = Millis{200}, .longest = Millis{5000}, .give_up_after = Millis{60'000}};
};

struct CompactionProgress {
  int64_t files = 0, files_done = 0;  // Inputs; all of the pass that is under way.
  int64_t bytes = 0, bytes_done = 0;
};

struct CompactionHooks {
  // What to merge of the live files below plan.small_bytes (given without statistics); empty:
  // PlanCompaction.
  std::function<std::vector<CompactionGroup>(std::vector<DataFile>)> plan = {};
  std::function<bool()> stop =
      {};  // Asked between batches of rows; true: discard what is unfinished.
  std::function<void(const CompactionProgress&)> progress = {};  // Called between batches of rows.
};

struct CompactionResult {
  int64_t files_removed = 0, files_added = 0;
  int64_t bytes_removed = 0, bytes_added = 0;
  int64_t rows = 0;
  int64_t commits = 0;
  int64_t conflicts = 0;  // Commits refused since another writer had removed an input.
  int64_t peak_memory_bytes = 0;
  bool stopped = false;
};

// Merges small files of each partition and publishes the merges as commits that change no rows
// (operation OPTIMIZE). Considers the files that are live when it begins, and what it makes of
// them, until nothing of that is left to merge: so it ends beside running writers. Safe beside any
// of them: a commit stands only while every file it replaces is live; otherwise what was written
// for it is deleted and planned anew. Groups go in random order, so that two optimizers seldom
// do the same work; where they do, one of them wins. What is replaced stays in storage for readers
// of older versions until vacuum takes it. Inputs are never in memory as a whole.
//
// IOError: patience ended; what stands committed is complete. Other errors name a file that cannot
// be merged, after all others were.
Result<CompactionResult> Compact(Table* table, const CompactionOptions& options,
                                 const CompactionHooks& hooks = {});

}  // namespace shopstream::lake
