#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/retry.h"
#include "base/status.h"
#include "lake/repair_file.h"
#include "lake/table.h"

namespace shopstream::lake {

// Files by what they need; one file may need several things.
struct RepairCounts {
  int64_t files = 0;  // That need something.
  int64_t paths = 0, partitions = 0, statistics = 0, footers = 0;

  void Add(const RepairNeeds& needs);
};

// By the log alone, so without footers: some microseconds a file.
RepairCounts CountRepairs(const Snapshot& snapshot);
// What they mean and which command heals them, as one sentence; empty where nothing needs repair.
std::string RepairAdvice(const std::string& table, const RepairCounts& counts);

struct RepairOptions {
  bool dry_run = false;             // Changes nothing; on_file shows what would be done.
  int64_t memory_bytes = 64 << 20;  // Rows, row groups and buffers together; at least 8 MiB.
  // A commit publishes what is done once it comes to one of these: a conflict costs no more work.
  int64_t commit_files = 1000;
  int64_t commit_bytes = 256 << 20;  // Written again.
  // A table whose retention leaves a commit less time than this is refused as Invalid.
  Millis commit_interval{30'000};
  Millis commit_deadline{10'000};
  // While nothing succeeds: others were faster, or storage failed.
  BackoffOptions patience{
      .first = Millis{200}, .longest = Millis{5000}, .give_up_after = Millis{60'000}};
};

struct RepairProgress {
  int64_t files = 0, files_done = 0;  // To be looked at or repaired.
  int64_t repaired = 0;
  int64_t bytes_written = 0;
};

// All may be empty.
struct RepairHooks {
  std::function<bool()> stop = {};
  std::function<void(const RepairProgress&)> progress = {};
  // Each file that is repaired, or would be; after its commit.
  std::function<void(const DataFile& file, const RepairNeeds& needs)> on_file = {};
};

struct RepairResult {
  int64_t files_seen = 0;  // Live files when it began.
  RepairCounts repaired;   // Or, in a dry run, to be repaired.
  int64_t files_written = 0;
  int64_t bytes_written = 0;
  int64_t commits = 0;
  int64_t conflicts = 0;  // Commits refused since another writer had replaced a file.
  bool finished = true;   // False: `stop` was asked before the end.
};

// Heals a table that an earlier version of this program, or another engine, has written to. Rows
// stay as they are: commits have operation REPAIR and dataChange false.
//   path        the file's bytes are copied to a name that every engine spells alike;
//   partition   the rows are written again, into a partition that every reader accepts;
//   statistics  the log's entry is written again, with statistics computed from the file;
//   footer      the rows are written again: bounds of a column with NaN are left out.
// The replaced file is removed in the log and stays in storage until vacuum takes it.
//
// Considers the files that are live when it begins. Safe beside running writers, optimizers and
// other repairs: a commit stands only while each file it replaces is live; what was overtaken is
// discarded, and done again if it is still needed. A kill at any moment leaves complete commits and
// files that no version names; the next run does the rest. Memory holds the path of each file to be
// looked at, and of rows no more than memory_bytes.
//
// IOError: patience ended; what stands committed is complete. Other errors name a file that cannot
// be repaired, after all others were.
Result<RepairResult> Repair(Table* table, const RepairOptions& options, const RepairHooks& hooks);

}  // namespace shopstream::lake
