#pragma once

#include <arrow/memory_pool.h>
#include <arrow/type.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "model/data_file.h"

namespace shopstream::lake {

// What must be repaired in one live file of a table, and the functions that do it.

struct RepairNeeds {
  bool path = false;        // Spark's VACUUM would delete it: see java_path.h.
  bool partition = false;   // A date that no reader accepts: year 10000 or year -2.
  bool statistics = false;  // The log's statistics hide rows from some reader: see HasSoundForm.
  bool footer = false;      // Its footer has bounds for a column with NaN, which hide its rows.

  bool any() const { return path || partition || statistics || footer; }
  // "path, statistics"
  std::string Text() const;
};

// From the log alone: everything except `footer`.
RepairNeeds NeedsByLog(const AddFile& add, const Snapshot& snapshot);

// Whether the footer of the file has bounds for a floating-point column that contains NaN. Reads
// such columns, a few megabytes at a time.
Result<bool> FooterMisleads(ObjectStore* store, const std::string& table_path, const DataFile& file,
                            const Snapshot& snapshot);

// Both return files that no version names yet, with everything except statistics as the log will
// have it; after an error they are deleted if the store answers.

// Copies the file to the name that this writer would give it.
Result<DataFile> CopyDataFile(ObjectStore* store, const std::string& table_path,
                              const DataFile& file);

struct RewriteOptions {
  arrow::MemoryPool* pool = arrow::default_memory_pool();
  int64_t memory_bytes = 64 << 20;
  std::function<bool()> stop;   // Called between batches of rows; true: Cancelled.
  std::string day_column = {};  // See RewriteDataFile.
};

// Writes the same rows again, in the same order, with statistics. If its partition has a date that
// no reader accepts, rows go to the UTC day of the timestamp in `day_column`, so that one file may
// become several; to the null partition if the table has no such column or the row no day.
Result<std::vector<DataFile>> RewriteDataFile(ObjectStore* store, const std::string& table_path,
                                              const DataFile& file, const Snapshot& snapshot,
                                              const RewriteOptions& options);

}  // namespace shopstream::lake
