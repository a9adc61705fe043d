#include "lake/upkeep/compaction_plan.h"

#include <algorithm>
#include <map>
#include <utility>

namespace shopstream::lake {
namespace {

// A file of unknown row count counts as empty: it may be rewritten once, and is known then.
int64_t Rows(const DataFile& file) { return std::max<int64_t>(file.rows, 0); }

bool ArrivedBefore(const DataFile& a, const DataFile& b) {
  return std::pair(a.modified_ms, a.path) < std::pair(b.modified_ms, b.path);
}

// Keeps as many of the smallest files as possible such that the largest of them is small enough
// relative to their sum; none if no two qualify.
void KeepMergeable(std::vector<DataFile>* files, int64_t growth) {
  std::sort(files->begin(), files->end(), [](const DataFile& a, const DataFile& b) {
    return std::pair(Rows(a), a.path) < std::pair(Rows(b), b.path);
  });
  int64_t sum = 0;
  size_t keep = 0;
  for (size_t i = 0; i < files->size(); ++i) {
    sum += Rows((*files)[i]);
    if (i > 0 && sum >= growth * Rows((*files)[i])) keep = i + 1;
  }
  files->resize(keep);
}

class PartitionPlanner {
 public:
  PartitionPlanner(const PartitionValues& partition, const CompactionPlanOptions& options,
                   std::vector<CompactionGroup>* groups)
      : options_(options), groups_(groups), open_{partition, {}, 0} {}

  void Plan(std::vector<DataFile> files) {
    KeepMergeable(&files, options_.growth);
    std::sort(files.begin(), files.end(), ArrivedBefore);
    for (DataFile& file : files) {
      open_.bytes += file.size_bytes;
      open_.files.push_back(std::move(file));
      // A merge that reaches the target is settled, so its growth no longer matters.
      if (open_.bytes >= options_.target_bytes) {
        Emit();
      } else if (static_cast<int64_t>(open_.files.size()) >= options_.max_files) {
        EmitMergeable();
      }
    }
    EmitMergeable();
  }

 private:
  void EmitMergeable() {
    KeepMergeable(&open_.files, options_.growth);
    std::sort(open_.files.begin(), open_.files.end(), ArrivedBefore);
    open_.bytes = 0;
    for (const DataFile& file : open_.files) open_.bytes += file.size_bytes;
    Emit();
  }
  void Emit() {
    CompactionGroup next{open_.partition, {}, 0};
    std::swap(next, open_);
    if (next.files.size() >= 2) groups_->push_back(std::move(next));
  }

  const CompactionPlanOptions& options_;
  std::vector<CompactionGroup>* const groups_;
  CompactionGroup open_;
};

}  // namespace

std::vector<CompactionGroup> PlanCompaction(std::vector<DataFile> files,
                                            const CompactionPlanOptions& options) {
  std::map<PartitionValues, std::vector<DataFile>> partitions;
  for (DataFile& file : files) {
    if (file.size_bytes >= options.small_bytes) continue;
    partitions[file.partition_values].push_back(std::move(file));
  }
  std::vector<CompactionGroup> groups;
  for (auto& [partition, small] : partitions) {
    PartitionPlanner(partition, options, &groups).Plan(std::move(small));
  }
  return groups;
}

}  // namespace shopstream::lake
