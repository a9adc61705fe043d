#include "ingest/partition_progress.h"

#include <algorithm>
#include <utility>

namespace shopstream::ingest {

PartitionProgress::PartitionProgress(const StartPosition& start)
    : partition_(start.partition),
      begin_(start.begin),
      next_(start.offset),
      fence_(start.fence),
      quarantine_fence_(start.quarantine_fence),
      quarantined_(start.quarantined),
      lost_(start.lost()),
      readable_(start.verdict == StartPosition::Verdict::kRead),
      reading_(readable_) {}

void PartitionProgress::Seal(Cut* cut) {
  if (!reading_ || next_ == begin_) return;
  cut->progress.push_back({.range = {partition_, begin_, next_},
                           .fence = fence_,
                           .quarantine_fence = quarantine_fence_});
  if (lost_) cut->lost.push_back(*std::exchange(lost_, std::nullopt));
  begin_ = next_;
  fence_ = next_;
  if (!cut->quarantined.empty()) {
    quarantine_fence_ = std::max(next_, quarantine_fence_.value_or(0));
  }
  quarantined_.erase(quarantined_.begin(), quarantined_.lower_bound(next_));
}

}  // namespace shopstream::ingest
