#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/object_store.h"
#include "lake/repair.h"

namespace shopstream::lake {

// Holds a table against its own log: what the log says is there, is there, and is as it says.
//
// The log: entries without a gap; the newest checkpoint equal to the replay of the entries before
// it, where both are kept; the hint names a checkpoint that is there.
// Every live file: named once; there, with its size; a Parquet file with the rows the log counts,
// and nulls, minimum and maximum of each column within what the log says (by its footer, or, when
// `deep`, by its values); partition values that are values of their columns, and those of its path.
// No file that Spark's VACUUM would delete, none in a partition that readers refuse.
// Orphans, files that no version names, are no fault: they are counted, vacuum deletes them.
//
// Changes nothing, and may run beside writers: a difference that a commit made meanwhile would
// explain is looked at again before it is reported.
struct VerifyOptions {
  bool deep = false;           // Read all values, and compare all checkpoints.
  size_t max_findings = 1000;  // That are kept; all are counted.
  // Now and then: what is looked at, how far, and of how many (0: not known yet). May be empty.
  std::function<void(const std::string& what, int64_t done, int64_t total)> on_progress;
};

struct VerifyFinding {
  std::string path;  // Relative to the lake's root.
  std::string reason;
};

struct VerifyReport {
  int64_t version = -1;  // That was looked at; -1: the log cannot be read.
  int64_t files = 0;     // Live ones, looked at.
  int64_t rows = 0;      // In them, as their footers say.
  int64_t bytes = 0;
  RepairCounts repairs;  // What `table repair` would do; paths and partitions are findings too.
  int64_t orphan_files = 0;
  int64_t orphan_bytes = 0;
  int64_t log_entries = 0;
  int64_t checkpoints = 0;           // Complete ones.
  int64_t checkpoints_compared = 0;  // With the replay of their entries.
  int64_t finding_count = 0;
  std::vector<VerifyFinding> findings;
  bool finished = true;  // False: `stop` was asked before the end.

  bool clean() const { return finding_count == 0; }
};

// KeyError: there is no such table. IOError: the store does not answer.
Result<VerifyReport> VerifyTable(ObjectStore* store, const std::string& table_path,
                                 const VerifyOptions& options, const std::function<bool()>& stop);

}  // namespace shopstream::lake
