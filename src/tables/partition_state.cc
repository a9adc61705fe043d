#include "tables/partition_state.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>

#include "tables/progress.h"

namespace shopstream::tables {
namespace {

constexpr std::string_view kStatePrefix = "shopstream-state/";
constexpr char kLastOffset[] = "last-offset";
constexpr char kLastEpoch[] = "last-epoch";
constexpr char kLastTimestamp[] = "last-timestamp";
constexpr char kLastHash[] = "last-hash";
constexpr char kEndEpoch[] = "end-epoch";
constexpr char kEmptyFrom[] = "empty-from";
constexpr char kEmptyTo[] = "empty-to";
constexpr char kEmptyCount[] = "empty-count";
constexpr char kEmptySum[] = "empty-sum";
constexpr char kStopReason[] = "stop-reason";
constexpr char kStopAt[] = "stop-at";
constexpr char kStopKafka[] = "stop-kafka";
constexpr char kAccepted[] = "accepted";
constexpr char kLost[] = "lost/";
constexpr char kThrough[] = "complete-through";

std::string StatePrefix(const std::string& topic_id, int32_t partition) {
  return std::string(kStatePrefix) + topic_id + "/" + std::to_string(partition) + "/";
}

int64_t Modulo(uint64_t sum) {
  return static_cast<int64_t>(sum & static_cast<uint64_t>(std::numeric_limits<int64_t>::max()));
}

// The values of one partition, by name.
class StoredValues {
 public:
  StoredValues(const Txns& txns, const std::string& topic_id, int32_t partition)
      : txns_(txns), prefix_(StatePrefix(topic_id, partition)) {}

  std::optional<int64_t> Find(std::string_view name) const {
    const auto found = txns_.find(prefix_ + std::string(name));
    return found == txns_.end() ? std::nullopt : std::optional(found->second);
  }

  int32_t Epoch(std::string_view name) const {
    const int64_t value = Find(name).value_or(-1);
    return value < 0 || value > std::numeric_limits<int32_t>::max() ? -1
                                                                    : static_cast<int32_t>(value);
  }

  std::vector<OffsetRange> Lost(int32_t partition) const {
    std::vector<OffsetRange> lost;
    const std::string start = prefix_ + kLost;
    for (auto it = txns_.lower_bound(start); it != txns_.end() && it->first.starts_with(start);
         ++it) {
      OffsetRange range{partition, 0, it->second};
      const char* first = it->first.data() + start.size();
      const char* last = it->first.data() + it->first.size();
      const auto [end, error] = std::from_chars(first, last, range.begin);
      if (error != std::errc() || end != last || range.begin < 0) continue;
      if (range.begin < range.end) lost.push_back(range);
    }
    std::sort(lost.begin(), lost.end(),
              [](const OffsetRange& a, const OffsetRange& b) { return a.begin < b.begin; });
    return lost;
  }

 private:
  const Txns& txns_;
  const std::string prefix_;
};

std::optional<LastRecord> ReadLast(const StoredValues& values, int64_t next) {
  const int64_t offset = values.Find(kLastOffset).value_or(-1);
  if (offset < 0 || offset >= next) return std::nullopt;
  return LastRecord{offset, values.Epoch(kLastEpoch), values.Find(kLastTimestamp).value_or(-1),
                    std::max<int64_t>(0, values.Find(kLastHash).value_or(0))};
}

std::optional<EmptyOffsets> ReadEmpty(const StoredValues& values, int64_t next) {
  const EmptyOffsets empty{values.Find(kEmptyFrom).value_or(-1), values.Find(kEmptyTo).value_or(-1),
                           values.Find(kEmptyCount).value_or(-1),
                           values.Find(kEmptySum).value_or(-1)};
  const bool written = empty.from >= 0 && empty.from <= empty.to && empty.count >= 0 &&
                       empty.count <= empty.to - empty.from && empty.sum >= 0;
  return written && empty.to == next ? std::optional(empty) : std::nullopt;
}

Stop ReadStop(const StoredValues& values) {
  const int64_t reason = values.Find(kStopReason).value_or(0);
  if (reason <= 0) return {};
  // A reason that only a newer program knows still stops the partition.
  const auto known =
      static_cast<StopReason>(std::min<int64_t>(reason, std::numeric_limits<int32_t>::max()));
  return {known, values.Find(kStopAt).value_or(0), values.Find(kStopKafka).value_or(-1)};
}

// The version that means the same as no txn at all, if there is one.
std::optional<int64_t> MeaningOfNone(std::string_view app_id) {
  const std::string_view name = app_id.substr(app_id.rfind('/') + 1);
  if (name == kLastOffset || name == kEndEpoch) return -1;
  if (name == kStopReason) return static_cast<int64_t>(StopReason::kNone);
  return std::nullopt;
}

}  // namespace

bool MayBeSame(const LastRecord& one, const LastRecord& other) {
  if (one.offset != other.offset) return false;
  if (one.leader_epoch >= 0 && other.leader_epoch >= 0 && one.leader_epoch != other.leader_epoch) {
    return false;
  }
  if (one.hash == 0 || other.hash == 0) return true;
  return one.hash == other.hash && one.timestamp_ms == other.timestamp_ms;
}

void EmptyOffsets::Skip(int64_t begin, int64_t end) {
  if (begin >= end) return;
  // n * (begin + end - 1) / 2, modulo 2^64: one of the factors is even.
  uint64_t n = static_cast<uint64_t>(end) - static_cast<uint64_t>(begin);
  uint64_t ends = static_cast<uint64_t>(begin) + static_cast<uint64_t>(end) - 1;
  count += end - begin;
  (n % 2 == 0 ? n : ends) /= 2;
  sum = Modulo(static_cast<uint64_t>(sum) + n * ends);
}

void EmptyOffsets::Remove(const EmptyOffsets& part) {
  count -= part.count;
  sum = Minus(sum, part.sum);
}

int64_t EmptyOffsets::Minus(int64_t sum, int64_t other) {
  return Modulo(static_cast<uint64_t>(sum) - static_cast<uint64_t>(other));
}

const char* Name(StopReason reason) {
  switch (reason) {
    case StopReason::kNone:
      return "none";
    case StopReason::kBeyondEnd:
      return "beyond_end";
    case StopReason::kOtherRecord:
      return "other_record";
    case StopReason::kTruncated:
      return "truncated";
    case StopReason::kAdopted:
      return "adopted";
  }
  return "unknown";
}

const char* Meaning(StopReason reason) {
  switch (reason) {
    case StopReason::kNone:
      return "it is not stopped";
    case StopReason::kBeyondEnd:
      return "the lake has offsets beyond the end of Kafka's log, so the log was cut or restored";
    case StopReason::kOtherRecord:
      return "Kafka has another record at an offset that the lake has, so the log was cut or "
             "restored and written to again";
    case StopReason::kTruncated:
      return "Kafka's log no longer has the history that the lake was read from, so the log was "
             "cut and written to again";
    case StopReason::kAdopted:
      return "the lake continues with a mirror of this topic, see docs/failover.md";
  }
  return "a newer version of shopstream stopped it";
}

PartitionState ReadPartitionState(const Txns& txns, const std::string& topic_id,
                                  int32_t partition) {
  PartitionState state;
  if (const auto next = txns.find(ProgressAppId(topic_id, partition)); next != txns.end()) {
    state.next = next->second;
  }
  const StoredValues values(txns, topic_id, partition);
  state.stop = ReadStop(values);
  state.accepted = values.Find(kAccepted);
  state.lost = values.Lost(partition);
  state.complete_through_ms = values.Find(kThrough);
  if (!state.next) return state;
  state.position.last = ReadLast(values, *state.next);
  if (values.Find(kEmptyTo) == state.next) state.position.end_epoch = values.Epoch(kEndEpoch);
  state.position.empty = ReadEmpty(values, *state.next);
  return state;
}

void Put(const std::string& topic_id, int32_t partition, const Position& position, Txns* txns) {
  const std::string prefix = StatePrefix(topic_id, partition);
  (*txns)[prefix + kLastOffset] = position.last ? position.last->offset : -1;
  if (position.last) {
    (*txns)[prefix + kLastEpoch] = position.last->leader_epoch;
    (*txns)[prefix + kLastTimestamp] = position.last->timestamp_ms;
    (*txns)[prefix + kLastHash] = position.last->hash;
  }
  (*txns)[prefix + kEndEpoch] = position.end_epoch;
  if (!position.empty) return;
  (*txns)[prefix + kEmptyFrom] = position.empty->from;
  (*txns)[prefix + kEmptyTo] = position.empty->to;
  (*txns)[prefix + kEmptyCount] = position.empty->count;
  (*txns)[prefix + kEmptySum] = position.empty->sum;
}

void Put(const std::string& topic_id, int32_t partition, const Stop& stop, Txns* txns) {
  const std::string prefix = StatePrefix(topic_id, partition);
  (*txns)[prefix + kStopReason] = static_cast<int64_t>(stop.reason);
  if (stop.reason == StopReason::kNone) return;
  (*txns)[prefix + kStopAt] = stop.at_ms;
  (*txns)[prefix + kStopKafka] = stop.kafka_offset;
}

void PutLost(const std::string& topic_id, const OffsetRange& lost, Txns* txns) {
  const std::string app_id =
      StatePrefix(topic_id, lost.partition) + kLost + std::to_string(lost.begin);
  const auto [entry, added] = txns->emplace(app_id, lost.end);
  if (!added) entry->second = std::max(entry->second, lost.end);
}

void PutAccepted(const std::string& topic_id, int32_t partition, int64_t end, Txns* txns) {
  const std::string prefix = StatePrefix(topic_id, partition);
  (*txns)[prefix + kAccepted] = end;
  (*txns)[prefix + kLastOffset] = -1;
  (*txns)[prefix + kEndEpoch] = -1;
  Put(topic_id, partition, Stop{}, txns);
}

void PutCompleteThrough(const std::string& topic_id, int32_t partition, int64_t ms, Txns* txns) {
  (*txns)[StatePrefix(topic_id, partition) + kThrough] = ms;
}

std::optional<int64_t> ReadCompleteThrough(const Txns& txns) {
  struct Topic {
    std::optional<int64_t> least, greatest;
    bool complete = true;
  };
  std::map<std::string, Topic> topics;
  for (const auto& [key, next] : ReadProgress(txns)) {
    Topic& topic = topics[key.topic_id];
    const auto value = StoredValues(txns, key.topic_id, key.partition).Find(kThrough);
    if (!value) {
      topic.complete = false;
      continue;
    }
    topic.least = std::min(topic.least.value_or(*value), *value);
    topic.greatest = std::max(topic.greatest.value_or(*value), *value);
  }
  const auto newest =
      std::ranges::max_element(topics, {}, [](const auto& topic) { return topic.second.greatest; });
  if (newest == topics.end() || !newest->second.complete) return std::nullopt;
  return newest->second.least;
}

void DropKnown(const Txns& table, Txns* changes) {
  std::erase_if(*changes, [&table](const auto& change) {
    const auto& [app_id, version] = change;
    if (!app_id.starts_with(kStatePrefix)) return false;
    const auto known = table.find(app_id);
    if (known == table.end()) return MeaningOfNone(app_id) == version;
    const bool only_grows = app_id.find(std::string("/") + kLost) != std::string::npos ||
                            app_id.ends_with(std::string("/") + kThrough);
    return only_grows ? known->second >= version : known->second == version;
  });
}

}  // namespace shopstream::tables
