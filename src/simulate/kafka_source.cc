#include <algorithm>
#include <map>
#include <set>

#include "base/error_kind.h"
#include "simulate/kafka.h"

namespace shopstream::simulate {
namespace {

using kafka::PartitionOffset;

constexpr int64_t kMostInAPoll = 40;

std::string Ranges(const std::vector<PartitionOffset>& offsets) {
  std::string text;
  for (const PartitionOffset& item : offsets) {
    text += " " + std::to_string(item.partition) + "@" + std::to_string(item.offset);
  }
  return text;
}

}  // namespace

class SimulatedKafka::Source : public kafka::RecordSource {
 public:
  Source(SimulatedKafka* kafka, bool read_committed)
      : kafka_(kafka), scheduler_(kafka->scheduler_), read_committed_(read_committed) {}
  ~Source() override { Source::Close(); }

  Status Subscribe() override {
    if (scheduler_->dead()) return Crashed();
    member_ = kafka_->Join(scheduler_->program());
    return Status::OK();
  }

  Result<kafka::PollResult> Poll(Millis timeout) override {
    const BootClock::time_point until = BootClock::now() + timeout;
    scheduler_->Pass(std::chrono::microseconds(scheduler_->chance()->Below(kCallMicros)));
    kafka::PollResult result;
    while (true) {
      if (scheduler_->dead()) return Crashed();
      // A client that was suspended learns only from the coordinator that its session timed out.
      if (member_ != nullptr && !member_->evicted) member_->last_poll = scheduler_->time();
      if (kafka_->id_.empty()) {
        result.topic_gone = std::exchange(knows_topic_, false);
      } else {
        knows_topic_ = true;
        Fetch(&result);
      }
      TakeNews(&result);
      const bool empty = result.batch.records.empty() && result.ends.empty() &&
                         result.rebalances.empty() && result.out_of_range.empty() &&
                         result.truncated.empty() && result.corrupt.empty() && !result.topic_gone;
      if (!empty || BootClock::now() >= until) return result;
      scheduler_->WaitOn(kafka_, until);
    }
  }

  Status Assign(const std::vector<PartitionOffset>& start) override {
    if (scheduler_->dead()) return Crashed();
    scheduler_->Note("assigns" + Ranges(start));
    for (const PartitionOffset& item : start) {
      Reading& reading = reading_[item.partition];
      reading = {.next = item.offset};
      if (item.offset == kafka::kOffsetBeginning && item.partition < kafka_->partitions()) {
        reading.next = kafka_->logs_[item.partition].log_start;
      }
    }
    return Status::OK();
  }
  Status Unassign(const std::vector<int32_t>& partitions) override {
    if (scheduler_->dead()) return Crashed();
    for (int32_t partition : partitions) {
      reading_.erase(partition);
      if (member_ != nullptr) {
        member_->owned.erase(partition);
        member_->asked_back.erase(partition);
      }
      scheduler_->Note("gives up " + std::to_string(partition));
    }
    kafka_->Rebalance();
    return Status::OK();
  }
  Status Restart(const std::vector<PartitionOffset>& start) override { return Assign(start); }
  Status Validate(const PartitionOffset& at) override {
    if (scheduler_->dead()) return Crashed();
    auto found = reading_.find(at.partition);
    if (found == reading_.end() || !found->second.polled || found->second.stuck) {
      return Unavailable("simulated: nothing of partition ", at.partition, " was polled yet");
    }
    found->second = {.next = at.offset, .epoch = at.leader_epoch, .validate = true, .polled = true};
    return Status::OK();
  }
  Status Pause(const std::vector<int32_t>& partitions) override {
    return SetPaused(partitions, true);
  }
  Status Resume(const std::vector<int32_t>& partitions) override {
    return SetPaused(partitions, false);
  }
  void CommitForDisplay(const std::vector<PartitionOffset>&) override {}
  int64_t CachedEnd(int32_t partition) const override {
    return partition < kafka_->partitions() ? kafka_->logs_[partition].last_stable() : -1;
  }
  void Close() override {
    if (member_ != nullptr && !scheduler_->dead()) kafka_->Leave(member_);
    member_ = nullptr;
  }

 private:
  struct Reading {
    int64_t next = 0;
    int32_t epoch = -1;      // The epoch of the offset before `next`; -1: unknown.
    int32_t log_epoch = -1;  // The newest that the client knows.
    bool validate = false;   // Before more is read.
    bool polled = false;     // Something, since it was assigned.
    bool passed = false;     // An offset, since it was assigned or validated.
    bool stuck = false;      // Out of range or truncated, until it is reassigned.
    int64_t told_end_at = -1;
  };

  Status SetPaused(const std::vector<int32_t>& partitions, bool paused) {
    if (scheduler_->dead()) return Crashed();
    for (int32_t partition : partitions) {
      if (paused) {
        paused_.insert(partition);
      } else {
        paused_.erase(partition);
      }
    }
    return Status::OK();
  }

  // Only sometimes everything available: a poll may end anywhere.
  void Fetch(kafka::PollResult* result) {
    int64_t room = 1 + scheduler_->chance()->Below(kMostInAPoll);
    for (auto& [partition, reading] : reading_) {
      if (reading.stuck || paused_.contains(partition)) continue;
      if (partition >= kafka_->partitions()) continue;
      const PartitionLog& log = kafka_->logs_[partition];
      if (!log.led) continue;
      if (!HasHistory(log, &reading)) {
        reading.stuck = true;
        scheduler_->Count("kafka: truncation detected");
        result->truncated.push_back(partition);
        continue;
      }
      if (reading.next < log.log_start || reading.next > log.end()) {
        reading.stuck = true;
        scheduler_->Count("kafka: offset out of range");
        result->out_of_range.push_back(partition);
        continue;
      }
      const int64_t end = read_committed_ ? log.last_stable() : log.end();
      for (; room > 0 && reading.next < end; ++reading.next) {
        if (reading.next == log.corrupt) {
          reading.stuck = true;
          scheduler_->Count("kafka: corrupt batch");
          result->corrupt.push_back({partition, reading.next, "simulated: bad checksum"});
          break;
        }
        const StoredOffset& stored = log.offsets[reading.next];
        reading.epoch = stored.leader_epoch;
        reading.passed = true;
        const bool seen = stored.kind == StoredOffset::Kind::kRecord ||
                          (!read_committed_ && stored.kind != StoredOffset::Kind::kMarker);
        if (!seen) continue;
        --room;
        reading.polled = true;
        result->batch.records.push_back(kafka_->View(partition, reading.next));
      }
      if (reading.next == end && reading.told_end_at != end) {
        reading.told_end_at = end;
        reading.polled = true;
        result->ends.push_back({partition, end, reading.passed ? reading.epoch : -1});
      }
    }
  }

  // The client compares epochs when it is told to, and when a new leader was elected. What it was
  // told to compare may have expired meanwhile.
  bool HasHistory(const PartitionLog& log, Reading* reading) {
    const bool due = reading->validate || log.leader_epoch() > reading->log_epoch;
    reading->log_epoch = log.leader_epoch();
    reading->validate = false;
    if (!due || reading->epoch < 0) return true;
    scheduler_->Count("kafka: epoch validated");
    const std::optional<int64_t> end = log.EndOfEpoch(reading->epoch);
    return end && *end >= reading->next;
  }

  void TakeNews(kafka::PollResult* result) {
    if (member_ == nullptr) return;
    result->rebalances = std::exchange(member_->news, {});
    if (!member_->evicted) return;
    // It is notified now, and joins again as a new member.
    kafka_->Leave(member_);
    member_ = kafka_->Join(scheduler_->program());
  }

  SimulatedKafka* const kafka_;
  Scheduler* const scheduler_;
  const bool read_committed_;
  Member* member_ = nullptr;
  std::map<int32_t, Reading> reading_;
  std::set<int32_t> paused_;  // Remembered while a partition is not assigned, as the client does.
  bool knows_topic_ = true;
};

std::unique_ptr<kafka::RecordSource> SimulatedKafka::OpenSource(bool read_committed) {
  return std::make_unique<Source>(this, read_committed);
}

}  // namespace shopstream::simulate
