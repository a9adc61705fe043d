#include <map>
#include <utility>

#include "simulate/mistakes.h"

namespace shopstream::simulate {
namespace {

using kafka::PartitionOffset;

class MistakenSource : public kafka::RecordSource {
 public:
  MistakenSource(Mistake mistake, std::unique_ptr<kafka::RecordSource> right)
      : mistake_(mistake), right_(std::move(right)) {}

  Status Subscribe() override { return right_->Subscribe(); }
  Result<kafka::PollResult> Poll(Millis timeout) override {
    ARROW_ASSIGN_OR_RAISE(kafka::PollResult polled, right_->Poll(timeout));
    for (const auto& record : polled.batch.records) epochs_[record.partition] = record.leader_epoch;
    if (mistake_ == Mistake::kCorruptBatchSkipped) {
      for (const auto& batch : std::exchange(polled.corrupt, {})) {
        ARROW_RETURN_NOT_OK(right_->Restart({{batch.partition, batch.offset + 1}}));
      }
    }
    return polled;
  }
  Status Assign(const std::vector<PartitionOffset>& start) override {
    for (const PartitionOffset& item : start) epochs_.erase(item.partition);
    return right_->Assign(start);
  }
  Status Unassign(const std::vector<int32_t>& partitions) override {
    return right_->Unassign(partitions);
  }
  Status Restart(const std::vector<PartitionOffset>& start) override {
    for (const PartitionOffset& item : start) epochs_.erase(item.partition);
    return right_->Restart(start);
  }
  Status Validate(const PartitionOffset& at) override {
    PartitionOffset mistaken = at;
    const auto epoch = epochs_.find(at.partition);
    if (mistake_ == Mistake::kValidatesWithTheLastEpoch && epoch != epochs_.end()) {
      mistaken.leader_epoch = epoch->second;
    }
    return right_->Validate(mistaken);
  }
  Status Pause(const std::vector<int32_t>& partitions) override {
    return right_->Pause(partitions);
  }
  Status Resume(const std::vector<int32_t>& partitions) override {
    return right_->Resume(partitions);
  }
  void CommitForDisplay(const std::vector<PartitionOffset>& offsets) override {
    right_->CommitForDisplay(offsets);
  }
  int64_t CachedEnd(int32_t partition) const override { return right_->CachedEnd(partition); }
  void Close() override { right_->Close(); }

 private:
  const Mistake mistake_;
  const std::unique_ptr<kafka::RecordSource> right_;
  std::map<int32_t, int32_t> epochs_;  // The last record's, since the assignment.
};

}  // namespace

std::unique_ptr<kafka::RecordSource> Mistaken(Mistake mistake,
                                              std::unique_ptr<kafka::RecordSource> right) {
  if (mistake != Mistake::kValidatesWithTheLastEpoch && mistake != Mistake::kCorruptBatchSkipped) {
    return right;
  }
  return std::make_unique<MistakenSource>(mistake, std::move(right));
}

}  // namespace shopstream::simulate
