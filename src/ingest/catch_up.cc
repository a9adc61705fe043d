#include "ingest/catch_up.h"

#include "tables/progress.h"

namespace shopstream::ingest {

CatchUpTargets::CatchUpTargets(const std::vector<kafka::OffsetSpan>& spans) {
  for (const kafka::OffsetSpan& span : spans) {
    // An empty partition has nothing to wait for, whatever its offsets.
    ends_.push_back(span.log_start == span.end ? 0 : span.end);
  }
}

bool CatchUpTargets::ReachedBy(const lake::Snapshot& bronze, const std::string& topic_id) const {
  for (size_t partition = 0; partition < ends_.size(); ++partition) {
    const std::string app_id = tables::ProgressAppId(topic_id, static_cast<int32_t>(partition));
    if (bronze.Txn(app_id).value_or(0) < ends_[partition]) return false;
  }
  return true;
}

bool CatchUpTargets::JustReadBy(const std::map<int32_t, PartitionProgress>& partitions) const {
  bool uncut = false;
  for (const auto& [partition, progress] : partitions) {
    if (!progress.reading() || partition >= std::ssize(ends_)) continue;
    if (progress.next() < ends_[partition]) return false;
    uncut = uncut || progress.begin() < ends_[partition];
  }
  return uncut;
}

}  // namespace shopstream::ingest
