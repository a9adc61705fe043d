#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/retry.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/upkeep/repair_file.h"

namespace shopstream::lake {

// Number of files per need; one file may have several needs.
struct RepairCounts {
  int64_t files = 0;  // With any need.
  int64_t paths = 0, partitions = 0, statistics = 0, footers = 0;

  void Add(const RepairNeeds& needs);
};

// From the log alone, without footers: a few microseconds per file.
RepairCounts CountRepairs(const Snapshot& snapshot);
// One sentence with their meaning and the command to run; empty if nothing needs repair.
std::string RepairAdvice(const std::string& table, const RepairCounts& counts);

struct RepairOptions {
  bool dry_run = false;  // Changes nothing; on_file shows what would be done.
  // A timestamp column: its UTC day replaces a date that no reader accepts. Without it: null.
  std::string day_column = {};
  int64_t memory_bytes = 64 << 20;  // Rows, row groups and buffers together; at least 8 MiB.
  // A commit publishes its work when it reaches one of these, so a conflict wastes no more.
  int64_t commit_files = 1000;
  int64_t commit_bytes = 256 << 20;  // In rewritten files.
  // A table whose retention leaves a commit less time than this is refused as Invalid.
  Millis commit_interval{30'000};
  Millis commit_deadline{10'000};
  // Limits the time without any success: others were faster, or storage failed.
  BackoffOptions patience{
      .first = Millis{200}, .longest = Millis{5000}, .give_up_after = Millis{60'000}};
};

struct RepairProgress {
  int64_t files = 0, files_done = 0;  // To be examined or repaired.
  int64_t repaired = 0;
  int64_t bytes_written = 0;
};

// All may be empty.
struct RepairHooks {
  std::function<bool()> stop = {};
  std::function<void(const RepairProgress&)> progress = {};
  // Called for each file that is repaired, after its commit, or would be.
  std::function<void(const DataFile& file, const RepairNeeds& needs)> on_file = {};
};

struct RepairResult {
  int64_t files_seen = 0;  // Live files at the start.
  RepairCounts repaired;   // In a dry run: to be repaired.
  int64_t files_written = 0;
  int64_t bytes_written = 0;
  int64_t commits = 0;
  int64_t conflicts = 0;  // Commits refused because another writer had replaced a file.
  bool finished = true;   // False: `stop` returned true before the end.
};

// Repairs a table that an earlier version of this program, or another engine, has written to. Rows
// do not change: commits have operation REPAIR and dataChange false.
//   path        the file's bytes are copied to a name that every engine spells alike;
//   partition   the rows are rewritten into a partition that every reader accepts;
//   statistics  the log's entry is rewritten, with statistics computed from the file;
//   footer      the rows are rewritten, without bounds for columns with NaN.
// The replaced file is removed in the log and stays in storage until vacuum deletes it.
//
// Considers the files that are live at its start. Safe alongside writers, optimizers and other
// repairs: a commit is valid only while each file it replaces is live; otherwise its work is
// discarded, and repeated if still needed. A kill at any moment leaves complete commits and
// orphaned files; the next run does the rest. Memory holds the path of each file to be examined,
// and at most memory_bytes of rows.
//
// IOError: patience ran out; commits made so far are complete. Other errors name a file that cannot
// be repaired, after all others were.
Result<RepairResult> Repair(Table* table, const RepairOptions& options, const RepairHooks& hooks);

}  // namespace shopstream::lake
