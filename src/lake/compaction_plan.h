#pragma once

#include <cstdint>
#include <vector>

#include "model/data_file.h"

namespace shopstream::lake {

struct CompactionPlanOptions {
  int64_t small_bytes = 32 << 20;    // Files from here on are left alone for good.
  int64_t target_bytes = 128 << 20;  // A merge takes no further file once it has that much.
  // A merge must hold at least so many times the rows of the largest file in it, so that a row's
  // file grows by this factor whenever the row is written again. A row is therefore written again
  // at most log(rows of a settled file) / log(growth) times. A larger growth means less work and
  // more files waiting: 2 leaves a handful in a partition, 8 some dozens.
  int64_t growth = 2;
  int64_t max_files = 1000;  // Of one merge: a commit names them all.
};

// Files of one partition to be merged into one, in order of arrival.
struct CompactionGroup {
  PartitionValues partition;
  std::vector<DataFile> files;
  int64_t bytes = 0;
};

// What to merge of the live files given. Groups share no file. Nothing: the table is settled.
std::vector<CompactionGroup> PlanCompaction(std::vector<DataFile> files,
                                            const CompactionPlanOptions& options);

}  // namespace shopstream::lake
