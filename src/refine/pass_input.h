#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "model/data_file.h"
#include "refine/pass_plan.h"

namespace shopstream::refine {

// The rows of a pass, in no particular order.
struct PassRows {
  std::shared_ptr<arrow::RecordBatch> rows;  // Bronze's columns in their order, never null.
  std::vector<int32_t> partition_of_row;     // Index into `partitions`, one per row.
  std::vector<PartitionValues> partitions;   // Each once, with rows; in the log's spelling.
  // Of rows in the same files: another program appended them, and no pass decides them. Counted
  // once per row, by the pass that reaches Bronze's version.
  int64_t without_coordinates = 0;
};

struct ReadLimits {
  int64_t bytes = std::numeric_limits<int64_t>::max();  // Of rows in memory, without padding.
  // Larger files are searched by coordinates first, and only the row groups with rows of the pass
  // are read. Smaller ones take one request anyway.
  int64_t small_file_bytes = 4 << 20;
};

// What reading took.
struct InputStats {
  bool all_files = false;  // The search covered all live files, not only those that are new.
  int64_t files = 0;       // Searched, by statistics.
  int64_t files_read = 0;  // At least in part.
  int64_t rows_read = 0;   // Including those of other passes.
  int64_t bytes_read = 0;  // From storage.
  int64_t refreshes = 0;   // Because a file was compacted and deleted meanwhile.
};

// Reads them from Bronze's current snapshot, or from a newer one if that is needed. Nothing: they
// exceed the limit; plan a pass of fewer rows. Gone: a live file is missing. Invalid: Bronze ends
// below the plan. Added to `stats`, which may not be null.
Result<std::optional<PassRows>> ReadPassRows(lake::Table* bronze, const PassPlan& plan,
                                             const ReadLimits& limits, InputStats* stats);

}  // namespace shopstream::refine
