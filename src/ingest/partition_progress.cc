#include "ingest/partition_progress.h"

#include <algorithm>
#include <utility>

#include "kafka/record_hash.h"

namespace shopstream::ingest {

PartitionProgress::PartitionProgress(const StartPosition& start)
    : partition_(start.partition),
      begin_(start.begin),
      next_(std::max(start.begin, start.offset)),
      fence_(start.fence),
      quarantine_fence_(start.quarantine_fence),
      side_fences_(start.side_fences),
      quarantined_(start.quarantined),
      in_sides_(start.in_sides),
      lost_(start.lost()),
      position_(start.position),
      accepted_(start.accepted),
      complete_through_ms_(start.complete_through_ms),
      first_sight_(start.verdict == StartPosition::Verdict::kRead && !start.fence),
      stopped_(start.verdict == StartPosition::Verdict::kStopped),
      started_(start.verdict != StartPosition::Verdict::kRowsWithoutTxn &&
               start.verdict != StartPosition::Verdict::kUnknownYet),
      halted_(start.verdict != StartPosition::Verdict::kRead) {
  if (lost_) position_.end_epoch = -1;
  if (start.verdict == StartPosition::Verdict::kBeyondEnd) Stop(start.stop);
}

void PartitionProgress::Stop(const tables::Stop& stop) {
  stop_ = stop;
  stopped_ = true;
  Halt(next_);
}

StartPosition PartitionProgress::Here() {
  Settle();
  StartPosition here;
  here.partition = partition_;
  here.begin = here.offset = next_;
  here.position = position_;
  return here;
}

PartitionProgress::Skip PartitionProgress::Committed(const kafka::RecordView& record) const {
  if (quarantined_.empty() && in_sides_.empty()) [[likely]] {
    return Skip::kNo;
  }
  if (const auto found = quarantined_.find(record.offset); found != quarantined_.end()) {
    const bool same =
        found->second == StartPosition::kAnyRecord || found->second == kafka::ContentHash(record);
    return same ? Skip::kSame : Skip::kOther;
  }
  const auto found = in_sides_.find(record.offset);
  if (found == in_sides_.end()) return Skip::kNo;
  return found->second.value_or(record.timestamp_ms) == record.timestamp_ms ? Skip::kSame
                                                                            : Skip::kOther;
}

void PartitionProgress::Settle() {
  if (taken_ == nullptr) return;
  position_.last = {.offset = taken_->offset,
                    .leader_epoch = taken_->leader_epoch,
                    .timestamp_ms = taken_->timestamp_ms,
                    .hash = kafka::ContentHash(*taken_)};
  position_.end_epoch = taken_->leader_epoch;
  taken_ = nullptr;
}

bool PartitionProgress::AdvanceTo(int64_t end, int32_t epoch) {
  if (!reading() || end <= next_) return false;
  Settle();
  if (position_.empty) position_.empty->Skip(next_, end);
  position_.end_epoch = epoch;
  next_ = end;
  return true;
}

void PartitionProgress::Seal(Cut* cut) {
  if (!started_) return;
  Settle();
  const std::optional<int64_t> fence = fence_;
  if (next_ != begin_ || first_sight_) {
    if (position_.empty) position_.empty->to = next_;
    cut->progress.push_back({.range = {partition_, begin_, next_},
                             .fence = fence,
                             .quarantine_fence = quarantine_fence_,
                             .side_fences = side_fences_,
                             .position = position_,
                             .accepted = accepted_});
    if (lost_) cut->lost.push_back(*std::exchange(lost_, std::nullopt));
    begin_ = next_;
    fence_ = next_;
    first_sight_ = false;
    if (!cut->quarantined.empty()) {
      quarantine_fence_ = std::max(next_, quarantine_fence_.value_or(0));
    }
    for (const TableRows& side : cut->sides) {
      int64_t& fence_after = side_fences_[side.layout->options.table];
      fence_after = std::max(next_, fence_after);
    }
    quarantined_.erase(quarantined_.begin(), quarantined_.lower_bound(next_));
    in_sides_.erase(in_sides_.begin(), in_sides_.lower_bound(next_));
  }
  if (stop_) {
    cut->stops.push_back({.partition = partition_,
                          .fence = fence,
                          .accepted = accepted_,
                          .stop = *std::exchange(stop_, std::nullopt)});
  }
}

void PartitionProgress::SealComplete(int64_t through_ms, Cut* cut) {
  if (complete_through_ms_ && *complete_through_ms_ >= through_ms) return;
  complete_through_ms_ = through_ms;
  cut->complete.push_back({.partition = partition_, .end = begin_, .through_ms = through_ms});
}

}  // namespace shopstream::ingest
