#include "lake/upkeep/maintenance_policy.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace shopstream::lake {
namespace {

using Partitions = std::map<PartitionValues, std::vector<DataFile>>;

int64_t NewestMillis(const std::vector<DataFile>& files) {
  int64_t newest = 0;
  for (const DataFile& file : files) newest = std::max(newest, file.modified_ms);
  return newest;
}

bool IsLoading(const Partitions& partitions, int64_t now_ms, const MaintenancePolicy& policy) {
  int64_t recent_partitions = 0;
  int64_t recent_rows = 0;
  for (const auto& [partition, files] : partitions) {
    bool recent = false;
    for (const DataFile& file : files) {
      if (now_ms - file.modified_ms > policy.recent.count()) continue;
      recent = true;
      recent_rows += std::max<int64_t>(file.rows, 0);
    }
    recent_partitions += recent;
  }
  return recent_partitions > policy.load_partitions || recent_rows > policy.load_rows;
}

}  // namespace

std::vector<CompactionGroup> PlanMaintenance(std::vector<DataFile> small_files, int64_t now_ms,
                                             const MaintenancePolicy& policy) {
  Partitions partitions;
  for (DataFile& file : small_files) {
    partitions[file.partition_values].push_back(std::move(file));
  }
  const bool loading = IsLoading(partitions, now_ms, policy);
  std::vector<CompactionGroup> groups;
  for (auto& [partition, files] : partitions) {
    if (loading && std::ssize(files) <= policy.most_files_in_a_load) continue;
    const bool quiet = now_ms - NewestMillis(files) > policy.quiet_after.count();
    auto planned =
        PlanCompaction(std::move(files), {.growth = quiet ? policy.quiet_growth : policy.growth});
    std::move(planned.begin(), planned.end(), std::back_inserter(groups));
  }
  return groups;
}

int64_t MostFilesOfAPartition(const std::vector<DataFile>& files) {
  std::map<PartitionValues, int64_t> counts;
  int64_t most = 0;
  for (const DataFile& file : files) most = std::max(most, ++counts[file.partition_values]);
  return most;
}

}  // namespace shopstream::lake
