#include "observe/lag_look.h"

#include <algorithm>
#include <chrono>

#include "base/error_kind.h"

namespace shopstream::observe {
namespace {

constexpr double kMillisOfSecond = 1000;

int64_t SecondOf(BootClock::time_point at) {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

LagSample CompareEnd(const PartitionSample& kafka, const tables::PartitionState& lake) {
  LagSample lag{.partition = kafka.state.id,
                .unknown = kafka.unknown,
                .next = lake.next,
                .stopped = lake.stopped()};
  if (!kafka.end || !kafka.log_start) return lag;
  const int64_t from = std::max(lake.next.value_or(0), *kafka.log_start);
  lag.records = std::max<int64_t>(0, *kafka.end - from);
  if (lake.next) lag.expired = std::max<int64_t>(0, *kafka.log_start - *lake.next);
  return lag;
}

}  // namespace

LagsSample CompareEnds(const TopicSample& topic, const TableSample& bronze) {
  LagsSample lags;
  for (const PartitionSample& partition : topic.partitions) {
    const auto found = bronze.progress.find({topic.id, partition.state.id});
    lags.partitions.push_back(CompareEnd(
        partition, found == bronze.progress.end() ? tables::PartitionState{} : found->second));
  }
  return lags;
}

std::map<kafka::TopicPartition, int64_t> GroupLag(const GroupSample& group,
                                                  const TopicsSample& topics) {
  std::map<kafka::TopicPartition, int64_t> lags;
  for (const TopicSample& topic : topics.topics) {
    for (const PartitionSample& partition : topic.partitions) {
      const kafka::TopicPartition at{topic.name, partition.state.id};
      const auto committed = group.committed.find(at);
      if (committed == group.committed.end() || !partition.end) continue;
      const int64_t from = std::max(committed->second, partition.log_start.value_or(0));
      lags[at] = std::max<int64_t>(0, *partition.end - from);
    }
  }
  return lags;
}

void RememberGroups(const GroupsSample& groups, const TopicsSample& topics, const std::string& own,
                    LagHistory* history) {
  for (const GroupSample& group : groups.groups) {
    if (group.described.name == own) continue;
    for (const auto& [at, records] : GroupLag(group, topics)) {
      history->Add({group.described.name, at.topic, at.partition},
                   {.second = SecondOf(topics.at), .records = records});
    }
  }
}

Result<LagsSample> LagLook::Look(const Seen<TopicsSample>& topics, const Seen<TableSample>& bronze,
                                 const std::string& bronze_table) {
  const TopicSample* const topic = topics.known() ? topics.value->own() : nullptr;
  if (topic == nullptr || !bronze.known()) {
    for (auto& [partition, window] : windows_) window.Clear();
  }
  if (!topics.known()) return Unavailable("topic ", config_.topic, ": ", topics.unknown);
  if (topic == nullptr) return Gone("topic ", config_.topic, " does not exist yet");
  if (!bronze.known()) return Unavailable("table ", bronze_table, ": ", bronze.unknown);
  if (topic->id != topic_id_) windows_.clear();
  topic_id_ = topic->id;
  LagsSample lags = CompareEnds(*topic, *bronze.value);
  AddRates(topics.value->at, *topic, &lags);
  AddAges(*topic, &lags);
  Remember(topics.value->at, lags);
  return lags;
}

void LagLook::AddRates(BootClock::time_point at, const TopicSample& topic, LagsSample* lags) {
  for (size_t p = 0; p < lags->partitions.size(); ++p) {
    LagSample& lag = lags->partitions[p];
    RateWindow& window = windows_[lag.partition];
    if (!lag.known()) {
      window.Clear();
      continue;
    }
    const PartitionSample& kafka = topic.partitions[p];
    window.Add(at, *kafka.end, lag.next ? *lag.next : *kafka.log_start);
    lag.rates = window.rates();
    lag.clear_seconds = SecondsToClear(lag.records, lag.rates);
  }
}

void LagLook::AddAges(const TopicSample& topic, LagsSample* lags) {
  std::map<int32_t, FirstRecords::Wanted> wanted;
  for (size_t p = 0; p < lags->partitions.size(); ++p) {
    const LagSample& lag = lags->partitions[p];
    if (!lag.known() || lag.records == 0) continue;
    const int64_t end = *topic.partitions[p].end;
    wanted[lag.partition] = {.next = end - lag.records, .end = end};
  }
  const auto sent = first_records_.SentMillis(topic.id, wanted, kAgePatience);
  const int64_t now_ms = WallClockMillis();
  for (LagSample& lag : lags->partitions) {
    if (lag.known() && lag.records == 0) lag.seconds = 0;
    const auto found = sent.find(lag.partition);
    if (found == sent.end()) continue;
    lag.seconds = std::max(0.0, static_cast<double>(now_ms - found->second) / kMillisOfSecond);
  }
}

void LagLook::Remember(BootClock::time_point at, const LagsSample& lags) const {
  const auto or_unknown = [](const std::optional<double>& value) {
    return static_cast<float>(value.value_or(-1));
  };
  history_->With([&](LagHistory* history) {
    for (const LagSample& lag : lags.partitions) {
      if (!lag.known()) continue;
      history->Add({config_.group, config_.topic, lag.partition},
                   {.second = SecondOf(at),
                    .records = lag.records,
                    .seconds = or_unknown(lag.seconds),
                    .in_rate = or_unknown(lag.rates.in),
                    .out_rate = or_unknown(lag.rates.out)});
    }
  });
}

}  // namespace shopstream::observe
