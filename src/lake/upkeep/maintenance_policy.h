#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "lake/upkeep/compaction_plan.h"
#include "model/data_file.h"

namespace shopstream::lake {

struct MaintenancePolicy {
  // Growth factor of a partition that still receives files (little work per row, a few dozen files
  // waiting), and of one that has been quiet for `quiet_after` (a handful of files left).
  int64_t growth = 8;
  int64_t quiet_growth = 2;
  Millis quiet_after{600'000};
  // During a heavy load (a replay or a backlog) the writer gets the machine. A load is heavy if,
  // within `recent`, more partitions received files, or more rows arrived, than with a live topic.
  // The cap keeps partitions readable even if the load never stops.
  Millis recent{60'000};
  int64_t load_partitions = 32;
  int64_t load_rows = 3'000'000;
  int64_t most_files_in_a_load = 100;  // Small files of one partition.
};

// The small files of a table that should be merged now.
std::vector<CompactionGroup> PlanMaintenance(std::vector<DataFile> small_files, int64_t now_ms,
                                             const MaintenancePolicy& policy);

// The number of files in the partition that has the most.
int64_t MostFilesOfAPartition(const std::vector<DataFile>& files);

}  // namespace shopstream::lake
