#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "base/clock.h"
#include "base/retry.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/upkeep/compaction_plan.h"

namespace shopstream::lake {

struct CompactionOptions {
  CompactionPlanOptions plan;
  int64_t memory_bytes = 64 << 20;  // Rows, row groups and buffers together; at least 8 MiB.
  // A commit publishes this many merges: many tiny merges share one commit, while a conflict never
  // wastes more than this much work.
  int64_t commit_groups = 64;
  int64_t commit_bytes = 256 << 20;
  // No merge is added to a commit that is this old. A table whose retention leaves a commit less
  // time than this is refused as Invalid.
  Millis commit_interval{30'000};
  // No merge is started once this much has been read; the next run does the rest.
  int64_t max_bytes = std::numeric_limits<int64_t>::max();
  Millis commit_deadline{10'000};
  // For passes without progress: other writers were faster, or storage failed.
  BackoffOptions patience{
      .first = Millis{200}, .longest = Millis{5000}, .give_up_after = Millis{60'000}};
};

struct CompactionProgress {
  int64_t files = 0, files_done = 0;  // Inputs of the current pass.
  int64_t bytes = 0, bytes_done = 0;
};

struct CompactionHooks {
  // Chooses what to merge from the live files below plan.small_bytes (passed without statistics);
  // empty: PlanCompaction.
  std::function<std::vector<CompactionGroup>(std::vector<DataFile>)> plan = {};
  std::function<bool()> stop =
      {};  // Called between batches of rows; true: discard unfinished work.
  std::function<void(const CompactionProgress&)> progress = {};  // Called between batches of rows.
};

struct CompactionResult {
  int64_t files_removed = 0, files_added = 0;
  int64_t bytes_removed = 0, bytes_added = 0;
  int64_t rows = 0;
  int64_t commits = 0;
  int64_t conflicts = 0;  // Commits refused because another writer had removed an input.
  int64_t peak_memory_bytes = 0;
  bool stopped = false;
};

// Merges small files of each partition and publishes the merges as commits that change no rows
// (operation OPTIMIZE). Considers the files that are live at its start, and the files made of them,
// until none can be merged; so it terminates alongside running writers. Safe alongside any of them:
// a commit is valid only while every file it replaces is live; otherwise its outputs are deleted
// and the merge is planned again. Groups are merged in random order, so that two optimizers seldom
// do the same work; if they do, one of them wins. Replaced files stay for readers of older versions
// until vacuum deletes them. Inputs are never in memory as a whole.
//
// IOError: patience ran out; commits made so far are complete. Other errors name a file that cannot
// be merged, after all others were.
Result<CompactionResult> Compact(Table* table, const CompactionOptions& options,
                                 const CompactionHooks& hooks = {});

}  // namespace shopstream::lake
