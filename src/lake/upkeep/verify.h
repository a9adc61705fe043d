#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/store/object_store.h"
#include "lake/upkeep/repair.h"

namespace shopstream::lake {

// Compares a table with its own log: everything that the log names exists and is as described.
//
// The log: entries without a gap; the newest checkpoint equal to the replay of the entries before
// it, if both are kept; the hint names an existing checkpoint.
// Every live file: named once; exists with its size; is a Parquet file with the logged rows, and
// with nulls, minimum and maximum of each column within the logged ones (by its footer or, if
// `deep`, by its values); its partition values are valid and match its path.
// No file that Spark's VACUUM would delete; none in a partition that readers refuse.
// Orphans, files that no version names, are not an error: they are counted; vacuum deletes them.
//
// Read-only, and safe alongside writers: a difference that a concurrent commit could explain is
// checked again before it is reported.
struct VerifyOptions {
  bool deep = false;           // Read all values, and compare all checkpoints.
  size_t max_findings = 1000;  // Maximum number kept; all are counted.
  // Called from time to time: what is checked, how far, of how many (0: unknown). May be empty.
  std::function<void(const std::string& what, int64_t done, int64_t total)> on_progress;
};

struct VerifyFinding {
  std::string path;  // Relative to the lake's root.
  std::string reason;
};

struct VerifyReport {
  int64_t version = -1;  // The version checked; -1: the log cannot be read.
  int64_t files = 0;     // Live files checked.
  int64_t rows = 0;      // Their rows, by their footers.
  int64_t bytes = 0;
  RepairCounts repairs;  // What `table repair` would do; paths and partitions are findings too.
  int64_t orphan_files = 0;
  int64_t orphan_bytes = 0;
  int64_t log_entries = 0;
  int64_t checkpoints = 0;           // Complete ones.
  int64_t checkpoints_compared = 0;  // Compared with the replay of their entries.
  int64_t finding_count = 0;
  std::vector<VerifyFinding> findings;
  bool finished = true;  // False: `stop` returned true before the end.

  bool clean() const { return finding_count == 0; }
};

// KeyError: the table does not exist. IOError: the store does not answer.
Result<VerifyReport> VerifyTable(ObjectStore* store, const std::string& table_path,
                                 const VerifyOptions& options, const std::function<bool()>& stop);

}  // namespace shopstream::lake
