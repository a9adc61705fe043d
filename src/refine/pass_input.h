#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "base/status.h"
#include "lake/delta/table.h"
#include "refine/pass_plan.h"
#include "refine/row_collector.h"

namespace shopstream::refine {

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
