#include "observe/group_lag.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "observe/record_ages.h"

namespace shopstream::observe {
namespace {

std::set<std::string> TopicsOf(const kafka::GroupDescription& group,
                               const CommittedOffsets& committed) {
  std::set<std::string> topics;
  for (const auto& [at, offset] : committed) topics.insert(at.topic);
  for (const kafka::GroupMember& member : group.members) {
    for (const auto& [topic, partitions] : member.partitions) topics.insert(topic);
  }
  return topics;
}

// The partitions of a topic that the group knows, for a topic that Kafka does not describe.
std::vector<int32_t> KnownPartitions(const std::string& topic, const kafka::GroupDescription& group,
                                     const CommittedOffsets& committed) {
  std::set<int32_t> partitions;
  for (const auto& [at, offset] : committed) {
    if (at.topic == topic) partitions.insert(at.partition);
  }
  for (const kafka::GroupMember& member : group.members) {
    const auto read = member.partitions.find(topic);
    if (read != member.partitions.end())
      partitions.insert(read->second.begin(), read->second.end());
  }
  return {partitions.begin(), partitions.end()};
}

void AddMembers(const kafka::GroupDescription& group, std::vector<GroupPartitionLag>* lags) {
  std::map<kafka::TopicPartition, std::string> readers;
  for (const kafka::GroupMember& member : group.members) {
    for (const auto& [topic, partitions] : member.partitions) {
      for (const int32_t partition : partitions) readers[{topic, partition}] = member.name;
    }
  }
  for (GroupPartitionLag& lag : *lags) {
    const auto reader = readers.find(lag.at);
    if (reader != readers.end()) lag.member = reader->second;
  }
}

// The ages are for displays: without them, the lag is still known.
void AddAges(const KafkaConfig& config, const std::string& topic, Millis patience,
             std::vector<GroupPartitionLag>* lags) {
  KafkaConfig of_topic = config;
  of_topic.topic = topic;
  std::vector<OffsetRange> ranges;
  for (const GroupPartitionLag& lag : *lags) {
    if (lag.at.topic != topic || lag.lag.value_or(0) == 0) continue;
    ranges.push_back({lag.at.partition, lag.span->end - *lag.lag, lag.span->end});
  }
  const auto ages = FirstRecordAges(of_topic, ranges, patience);
  if (!ages.ok()) {
    Log::Warn("The lag of topic {} in seconds is unknown: {}", topic, ages.status().message());
    return;
  }
  for (GroupPartitionLag& lag : *lags) {
    const auto age = ages->find(lag.at.partition);
    if (lag.at.topic == topic && age != ages->end()) lag.lag_ms = age->second;
  }
}

}  // namespace

GroupPartitionLag LagOf(const kafka::TopicPartition& at,
                        const std::optional<Result<kafka::CommittedOffset>>& committed,
                        const Result<kafka::OffsetSpan>& span) {
  GroupPartitionLag lag{.at = at, .committed = {}, .unknown = ""};
  if (committed && committed->ok()) lag.committed = (**committed).offset;
  if (committed && !committed->ok()) lag.unknown = committed->status().message();
  if (!span.ok()) {
    lag.unknown = span.status().message();
    return lag;
  }
  lag.span = *span;
  if (!lag.committed) return lag;
  lag.lag = std::max<int64_t>(0, span->end - std::max(*lag.committed, span->log_start));
  if (lag.lag == 0) lag.lag_ms = 0;
  return lag;
}

std::vector<GroupPartitionLag> MeasureGroup(const KafkaConfig& config, kafka::Admin* admin,
                                            const kafka::GroupDescription& group,
                                            const CommittedOffsets& committed, Millis patience) {
  std::vector<GroupPartitionLag> lags;
  for (const std::string& topic : TopicsOf(group, committed)) {
    const auto state = admin->DescribeTopic(topic, false);
    const bool exists = state.ok() && *state;
    const std::vector<int32_t> partitions = exists
                                                ? kafka::AllPartitions((*state)->partitions.size())
                                                : KnownPartitions(topic, group, committed);
    // It fails for each of them if the topic cannot be described.
    const auto spans = admin->OffsetSpans(topic, partitions);
    for (size_t i = 0; i < partitions.size(); ++i) {
      const kafka::TopicPartition at{topic, partitions[i]};
      const auto found = committed.find(at);
      lags.push_back(LagOf(
          at, found == committed.end() ? std::nullopt : std::optional(found->second), spans[i]));
    }
    AddAges(config, topic, patience, &lags);
  }
  AddMembers(group, &lags);
  return lags;
}

}  // namespace shopstream::observe
