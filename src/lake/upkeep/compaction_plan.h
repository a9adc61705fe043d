#pragma once

#include <cstdint>
#include <vector>

#include "model/data_file.h"

namespace shopstream::lake {

struct CompactionPlanOptions {
  int64_t small_bytes = 32 << 20;    // Files of this size or larger are never merged.
  int64_t target_bytes = 128 << 20;  // A merge takes no further file once it has this much.
  // A merge must have at least this many times the rows of the largest file in it, so that a row's
  // file grows by this factor whenever the row is rewritten. A row is therefore rewritten at most
  // log(rows of a settled file) / log(growth) times. A larger growth means less work and more files
  // waiting: 2 leaves a handful per partition, 8 a few dozen.
  int64_t growth = 2;
  int64_t max_files = 1000;  // In one merge: a commit names them all.
};

// Files of one partition to be merged into one, in order of arrival.
struct CompactionGroup {
  PartitionValues partition;
  std::vector<DataFile> files;
  int64_t bytes = 0;
};

// What to merge among the given live files. Groups share no file. Empty: the table is settled.
std::vector<CompactionGroup> PlanCompaction(std::vector<DataFile> files,
                                            const CompactionPlanOptions& options);

}  // namespace shopstream::lake
