#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "lake/compaction_plan.h"
#include "model/data_file.h"

namespace shopstream::ingest {

struct MaintenancePolicy {
  // A partition that files still arrive in is merged with this growth: little work a row, some
  // dozens of files waiting. Once quiet for so long, with the other: a handful is left.
  int64_t growth = 8;
  int64_t quiet_growth = 2;
  Millis quiet_after{600'000};
  // A load is going on (a replay, or a backlog) where within `recent` files came to more partitions
  // than a live topic opens, or more rows than one brings: then ingest has the machine. The cap
  // keeps partitions readable even if it never ends.
  Millis recent{60'000};
  int64_t load_partitions = 32;
  int64_t load_rows = 3'000'000;
  int64_t most_files_in_a_load = 100;  // Small ones of one partition.
};

// What is to be merged now of a table's small files.
std::vector<lake::CompactionGroup> PlanMaintenance(std::vector<DataFile> small_files,
                                                   int64_t now_ms, const MaintenancePolicy& policy);

// Of the partition that has most of them.
int64_t MostFilesOfAPartition(const std::vector<DataFile>& files);

}  // namespace shopstream::ingest
