#include "simulate/kafka.h"

#include <algorithm>

#include "base/error_kind.h"

namespace shopstream::simulate {
namespace {

constexpr Millis kLookAtSessionsEvery{1000};

kafka::Bytes ToBytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

int64_t PartitionLog::last_stable() const {
  for (int64_t offset = log_start; offset < end(); ++offset) {
    if (offsets[offset].kind == StoredOffset::Kind::kOpen) return offset;
  }
  return end();
}

std::optional<int64_t> PartitionLog::EndOfEpoch(int32_t epoch) const {
  if (epoch == leader_epoch()) return end();
  const auto next =
      std::ranges::upper_bound(epochs, epoch, {}, &std::pair<int32_t, int64_t>::first);
  if (next == epochs.end()) return std::nullopt;
  return next->second;
}

void PartitionLog::StartEpoch(int32_t epoch) {
  std::erase_if(epochs, [this](const auto& entry) { return entry.second >= end(); });
  epochs.emplace_back(epoch, end());
}

void PartitionLog::CutAt(int64_t new_end) {
  offsets.resize(new_end);
  if (corrupt >= new_end) corrupt = -1;
  std::erase_if(epochs, [new_end](const auto& entry) { return entry.second >= new_end; });
}

SimulatedKafka::SimulatedKafka(Scheduler* scheduler, std::string topic, int partitions)
    : scheduler_(scheduler), topic_(std::move(topic)) {
  CreateTopic(partitions);
  EndSessions();
}

const std::string* SimulatedKafka::Keep(std::optional<std::string> text) {
  return text ? &texts_.emplace_back(*std::move(text)) : nullptr;
}

int64_t SimulatedKafka::Produce(int32_t partition, std::optional<std::string> key,
                                std::optional<std::string> value, int64_t timestamp_ms,
                                bool in_transaction) {
  PartitionLog& log = logs_[partition];
  const auto kind = in_transaction ? StoredOffset::Kind::kOpen : StoredOffset::Kind::kRecord;
  log.offsets.push_back({.kind = kind,
                         .timestamp_ms = timestamp_ms,
                         .leader_epoch = log.leader_epoch(),
                         .key = Keep(std::move(key)),
                         .value = Keep(std::move(value))});
  scheduler_->WakeAll(this);
  return log.end() - 1;
}

void SimulatedKafka::EndTransaction(int32_t partition, bool commit) {
  PartitionLog& log = logs_[partition];
  bool open = false;
  for (int64_t offset = log.log_start; offset < log.end(); ++offset) {
    StoredOffset& stored = log.offsets[offset];
    if (stored.kind != StoredOffset::Kind::kOpen) continue;
    open = true;
    stored.kind = commit ? StoredOffset::Kind::kRecord : StoredOffset::Kind::kAborted;
  }
  if (!open) return;
  log.offsets.push_back({.kind = StoredOffset::Kind::kMarker, .leader_epoch = log.leader_epoch()});
  scheduler_->Count(commit ? "kafka: transaction committed" : "kafka: transaction aborted");
  scheduler_->WakeAll(this);
}

void SimulatedKafka::Expire(int32_t partition, int64_t log_start) {
  PartitionLog& log = logs_[partition];
  log.log_start = std::clamp(log_start, log.log_start, log.last_stable());
  while (log.epochs.size() > 1 && log.epochs[1].second <= log.log_start) {
    log.epochs.erase(log.epochs.begin());
  }
  log.epochs.front().second = std::max(log.epochs.front().second, log.log_start);
  scheduler_->WakeAll(this);
}

void SimulatedKafka::Truncate(int32_t partition, int64_t end) {
  PartitionLog& log = logs_[partition];
  if (end < log.log_start || end >= log.end()) return;
  const int32_t epoch = log.leader_epoch();
  log.CutAt(end);
  log.StartEpoch(epoch + 1);
  scheduler_->WakeAll(this);
}

void SimulatedKafka::Elect(int32_t partition) {
  PartitionLog& log = logs_[partition];
  log.led = true;
  log.corrupt = -1;
  log.StartEpoch(log.leader_epoch() + 1);
  scheduler_->Count("kafka: leader elected");
  scheduler_->WakeAll(this);
}

void SimulatedKafka::Restore(int32_t partition, int64_t end) {
  PartitionLog& log = logs_[partition];
  if (end < log.log_start || end >= log.end()) return;
  log.CutAt(end);
  log.StartEpoch(log.epochs.empty() ? 0 : log.leader_epoch() + 1);
  scheduler_->Count("kafka: log restored");
  // All sessions time out while the brokers are away.
  std::vector<Member*> members;
  for (auto& [order, member] : members_) {
    if (!member->evicted) members.push_back(member.get());
  }
  for (Member* member : members) Evict(member);
  scheduler_->WakeAll(this);
}

void SimulatedKafka::LoseLeader(int32_t partition) { logs_[partition].led = false; }

void SimulatedKafka::Corrupt(int32_t partition, int64_t offset) {
  logs_[partition].corrupt = offset;
}

kafka::RecordView SimulatedKafka::View(int32_t partition, int64_t offset) const {
  const StoredOffset& stored = logs_[partition].offsets[offset];
  kafka::RecordView record;
  record.partition = partition;
  record.offset = offset;
  record.timestamp_ms = stored.timestamp_ms;
  record.leader_epoch = stored.leader_epoch;
  if (stored.key != nullptr) record.key = ToBytes(*stored.key);
  if (stored.value != nullptr) record.value = ToBytes(*stored.value);
  return record;
}

void SimulatedKafka::DeleteTopic() {
  id_.clear();
  logs_.clear();
  scheduler_->WakeAll(this);
}

void SimulatedKafka::CreateTopic(int partitions) {
  // In the format of Kafka's ids: 22 characters.
  id_ = "SimulatedTopicId" + std::to_string(100'000 + ids_++);
  logs_.assign(partitions, PartitionLog{});
  scheduler_->WakeAll(this);
  Rebalance();
}

// ---- the group

SimulatedKafka::Member* SimulatedKafka::Join(int program) {
  auto& member = members_[joins_++];
  member = std::make_unique<Member>();
  member->program = program;
  member->last_poll = scheduler_->time();
  Rebalance();
  return member.get();
}

void SimulatedKafka::Leave(Member* member) {
  std::erase_if(members_, [&](const auto& entry) { return entry.second.get() == member; });
  Rebalance();
}

void SimulatedKafka::Evict(Member* member) {
  scheduler_->Count("kafka: partitions lost");
  member->evicted = true;
  member->news.clear();
  member->news.push_back({.kind = kafka::Rebalance::Kind::kLost,
                          .partitions = {member->owned.begin(), member->owned.end()}});
  member->owned.clear();
  Rebalance();
}

void SimulatedKafka::LoseMember(int program) {
  for (auto& [order, member] : members_) {
    if (member->program == program && !member->evicted && !member->owned.empty()) {
      return Evict(member.get());
    }
  }
}

void SimulatedKafka::EndSessions() {
  std::vector<Member*> late;
  for (auto& [order, member] : members_) {
    if (!member->evicted && scheduler_->time() - member->last_poll > kSession) {
      late.push_back(member.get());
    }
  }
  for (Member* member : late) Evict(member);
  // Members that never come back are removed.
  std::erase_if(members_, [&](const auto& entry) {
    return entry.second->evicted && scheduler_->crashed(entry.second->program);
  });
  scheduler_->After(kLookAtSessionsEvery, [this] { EndSessions(); });
}

std::vector<int> SimulatedKafka::Owners() const {
  std::vector<int> owners(logs_.size(), -1);
  for (const auto& [order, member] : members_) {
    for (int32_t partition : member->owned) {
      if (partition < std::ssize(owners)) owners[partition] = member->program;
    }
  }
  return owners;
}

// Sticky and cooperative: each member gets an equal share and keeps what it has of it. Partitions
// above a member's share are requested back, and given away once it has answered.
void SimulatedKafka::Rebalance() {
  std::vector<Member*> live;
  for (auto& [order, member] : members_) {
    if (!member->evicted) live.push_back(member.get());
  }
  if (live.empty()) return;
  const size_t share = logs_.size() / live.size();
  size_t larger = logs_.size() % live.size();
  std::set<int32_t> free;
  for (int32_t partition = 0; partition < partitions(); ++partition) free.insert(partition);
  std::map<Member*, size_t> target;
  for (Member* member : live) {
    for (int32_t partition : member->owned) free.erase(partition);
    target[member] = share + (larger > 0 && member->owned.size() > share ? 1 : 0);
    if (target[member] > share) --larger;
  }
  for (Member* member : live) {
    if (larger > 0 && target[member] == share) ++target[member], --larger;
    while (member->owned.size() < target[member] && !free.empty()) {
      const int32_t partition = *free.begin();
      free.erase(free.begin());
      member->owned.insert(partition);
      member->news.push_back({.kind = kafka::Rebalance::Kind::kAssign, .partitions = {partition}});
    }
    if (member->owned.size() <= target[member]) continue;
    if (!member->asked_back.empty()) continue;  // One at a time.
    scheduler_->Count("kafka: partition revoked");
    member->asked_back.insert(*member->owned.rbegin());
    member->news.push_back(
        {.kind = kafka::Rebalance::Kind::kRevoke, .partitions = {*member->owned.rbegin()}});
  }
  scheduler_->WakeAll(this);
}

// ---- its metadata of the topic

class SimulatedKafka::Metadata : public kafka::TopicMetadata {
 public:
  explicit Metadata(SimulatedKafka* kafka) : kafka_(kafka), scheduler_(kafka->scheduler_) {}

  Result<std::optional<kafka::TopicState>> DescribeTopic(const std::string& name, bool) override {
    ARROW_RETURN_NOT_OK(Ask());
    if (kafka_->id_.empty() || name != kafka_->topic_) return std::nullopt;
    kafka::TopicState state;
    state.name = name;
    state.id = kafka_->id_;
    state.configs["cleanup.policy"] = "delete";
    for (const PartitionLog& log : kafka_->logs_) {
      kafka::PartitionState& partition = state.partitions.emplace_back();
      partition.id = static_cast<int32_t>(state.partitions.size()) - 1;
      partition.leader = log.led ? 1 : -1;
    }
    return state;
  }
  std::vector<Result<kafka::OffsetSpan>> OffsetSpans(
      const std::string& topic, const std::vector<int32_t>& partitions) override {
    const Status asked = Ask();
    std::vector<Result<kafka::OffsetSpan>> answers;
    for (const int32_t partition : partitions) {
      answers.push_back(asked.ok() ? Span(topic, partition) : asked);
    }
    return answers;
  }

 private:
  Result<kafka::OffsetSpan> Span(const std::string& topic, int32_t partition) {
    if (topic != kafka_->topic_ || partition >= kafka_->partitions()) {
      return Status::KeyError("simulated: topic ", topic, " has no partition ", partition);
    }
    const PartitionLog& log = kafka_->logs_[partition];
    if (!log.led) {
      scheduler_->Count("kafka: no leader answers");
      return Unavailable("simulated: partition ", partition, " has no leader");
    }
    return kafka::OffsetSpan{log.log_start, log.last_stable()};
  }
  Status Ask() {
    scheduler_->Pass(std::chrono::microseconds(scheduler_->chance()->Below(kCallMicros)));
    if (scheduler_->dead()) return Crashed();
    if (scheduler_->program() < 0 || !scheduler_->chance()->Once(kafka_->faults.metadata_fails)) {
      return Status::OK();
    }
    scheduler_->Count("kafka: no answer");
    return Unavailable("simulated: no broker answers");
  }

  SimulatedKafka* const kafka_;
  Scheduler* const scheduler_;
};

std::unique_ptr<kafka::TopicMetadata> SimulatedKafka::OpenMetadata() {
  return std::make_unique<Metadata>(this);
}

}  // namespace shopstream::simulate
