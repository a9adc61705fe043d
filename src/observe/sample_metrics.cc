#include "observe/sample_metrics.h"

#include <fmt/format.h>
#include <prometheus/family.h>

#include <iterator>

#include "observe/lag_look.h"

namespace shopstream::observe {
namespace {

using enum SampleMetric;

constexpr double kMillisPerSecond = 1000;

constexpr SampleMetricHelp kMetrics[] = {
    {kBrokers, "shopstream_brokers", "", "Brokers that the cluster has"},
    {kBrokerUp, "shopstream_broker_up", "broker,address",
     "1 if the cluster has the broker and it accepts connections"},
    {kBrokerLeaders, "shopstream_broker_leader_partitions", "broker",
     "Sampled partitions that the broker leads"},
    {kController, "shopstream_controller_id", "", "Id of the broker that is the controller"},
    {kTopicPartitions, "shopstream_topic_partitions", "topic",
     "Partitions of the topic; 0: it does not exist"},
    {kTopicLeaderless, "shopstream_topic_leaderless_partitions", "topic",
     "Partitions without a leader"},
    {kTopicUnderReplicated, "shopstream_topic_under_replicated_partitions", "topic",
     "Partitions with fewer replicas in sync than replicas"},
    {kPartitionLeader, "shopstream_partition_leader_id", "topic,partition",
     "Id of the broker that leads the partition; -1: none"},
    {kPartitionReplicas, "shopstream_partition_replicas", "topic,partition",
     "Replicas of the partition"},
    {kPartitionInSync, "shopstream_partition_in_sync_replicas", "topic,partition",
     "Replicas that are in sync"},
    {kPartitionLogStart, "shopstream_partition_log_start_offset", "topic,partition",
     "First offset that Kafka still has"},
    {kPartitionEnd, "shopstream_partition_end_offset", "topic,partition",
     "One past the last offset that Kafka has"},
    {kLakeNext, "shopstream_lake_next_offset", "topic,partition",
     "The lake has the partition's offsets below this one"},
    {kLagRecords, "shopstream_lag_records", "topic,partition",
     "Offsets in Kafka that are not in the lake"},
    {kLagSeconds, "shopstream_lag_seconds", "topic,partition",
     "Age of the first record that is not in the lake; 0: there is none"},
    {kLagClear, "shopstream_lag_clear_seconds", "topic,partition",
     "Time until the lake has everything, at the rates of the last minute; +Inf: never"},
    {kRateIn, "shopstream_lag_in_per_second", "topic,partition",
     "Offsets per second that Kafka received in the last minute"},
    {kRateOut, "shopstream_lag_out_per_second", "topic,partition",
     "Offsets per second that came into the lake in the last minute"},
    {kExpired, "shopstream_lag_expired_records", "topic,partition",
     "Offsets that Kafka removed before they came into the lake"},
    {kStopped, "shopstream_partition_stopped", "topic,partition",
     "1 if ingest does not read the partition until an operator decides"},
    {kGroupState, "shopstream_group_state", "group,state", "1 for the state that the group has"},
    {kGroupMembers, "shopstream_group_members", "group", "Members of the group"},
    {kGroupAssigned, "shopstream_group_assigned_partitions", "group",
     "Partitions that the members have"},
    {kGroupLag, "shopstream_group_lag_records", "group,topic,partition",
     "Offsets in Kafka that the group has not committed"},
    {kRegistryUp, "shopstream_registry_up", "", "1 if the schema registry answers"},
    {kRegistrySeconds, "shopstream_registry_response_seconds", "",
     "Time that the registry took to answer"},
    {kRegistrySubjects, "shopstream_registry_subjects", "", "Subjects in the registry"},
    {kRegistryDegraded, "shopstream_registry_degraded", "",
     "1 if the registry reports that it is degraded"},
    {kTableVersion, "shopstream_table_version", "table", "Newest version of the table"},
    {kTableFiles, "shopstream_table_files", "table", "Data files of the newest version"},
    {kTableBytes, "shopstream_table_bytes", "table", "Bytes of these files"},
    {kTableRows, "shopstream_table_rows", "table", "Rows in these files"},
    {kTableSmallFiles, "shopstream_table_small_files", "table",
     "Files below 32 MiB in partitions with at least two of them"},
    {kTableSmallShare, "shopstream_table_small_files_ratio", "table",
     "Their share of all files of the table"},
    {kTableCommitted, "shopstream_table_last_commit_timestamp_seconds", "table",
     "When the newest version was committed"},
    {kTableCompleteThrough, "shopstream_table_complete_through_timestamp_seconds", "table",
     "The table has everything that Kafka received before this time"},
    {kQuarantineRows, "shopstream_quarantine_rows", "cause", "Rows in quarantine"},
    {kPartUp, "shopstream_observe_part_known", "part",
     "1 if the last sample of the part succeeded"},
    {kPartSeconds, "shopstream_observe_part_seconds", "part", "Time that the last sample took"},
    {kPartSampled, "shopstream_observe_part_timestamp_seconds", "part",
     "When the last sample began"},
};

prometheus::Labels OfPartition(const std::string& topic, int32_t partition) {
  return {{"topic", topic}, {"partition", std::to_string(partition)}};
}

double Real(int64_t value) { return static_cast<double>(value); }

}  // namespace

std::span<const SampleMetricHelp> AllSampleMetrics() { return kMetrics; }

SampleMetrics::SampleMetrics(prometheus::Registry* registry, SampleScope scope) : scope_(scope) {
  for (const SampleMetricHelp& metric : kMetrics) {
    families_[metric.metric] =
        &prometheus::BuildGauge().Name(metric.name).Help(metric.help).Register(*registry);
  }
}

SampleMetrics::~SampleMetrics() {
  for (const auto& [key, gauge] : gauges_) families_.at(key.first)->Remove(gauge.gauge);
}

void SampleMetrics::Set(SampleMetric metric, const prometheus::Labels& labels, double value) {
  auto found = gauges_.find({metric, labels});
  if (found == gauges_.end()) {
    prometheus::Gauge* const gauge = &families_.at(metric)->Add(labels, value);
    found = gauges_.emplace(std::pair(metric, labels), Gauge{gauge, 0}).first;
  }
  found->second.gauge->Set(value);
  found->second.shown_by = shown_;
}

void SampleMetrics::RemoveOthers() {
  for (auto item = gauges_.begin(); item != gauges_.end();) {
    const auto current = item++;
    if (current->second.shown_by == shown_) continue;
    families_.at(current->first.first)->Remove(current->second.gauge);
    gauges_.erase(current);
  }
}

template <typename T>
void SampleMetrics::ShowPart(const std::string& name, const Seen<T>& part) {
  const prometheus::Labels labels{{"part", name}};
  Set(kPartUp, labels, part.known() ? 1 : 0);
  if (part.at_ms > 0) Set(kPartSampled, labels, Real(part.at_ms) / kMillisPerSecond);
  if (part.known()) Set(kPartSeconds, labels, Real(part.took.count()) / kMillisPerSecond);
}

void SampleMetrics::Show(const Sample& sample) {
  ++shown_;
  ShowPart("brokers", sample.brokers);
  ShowPart("topics", sample.topics);
  ShowPart("groups", sample.groups);
  ShowPart("registry", sample.registry);
  ShowPart("quarantine", sample.quarantine);
  ShowPart("lag", sample.lag);
  if (sample.brokers.known()) ShowBrokers(*sample.brokers.value);
  if (sample.topics.known()) ShowTopics(sample.topic, *sample.topics.value);
  if (sample.lag.known()) ShowLag(sample.topic, *sample.lag.value);
  if (sample.groups.known()) ShowGroups(sample);
  ShowRegistry(sample.registry);
  for (const auto& [path, table] : sample.tables) {
    ShowPart("table " + path, table);
    if (table.known() && table.value->exists) ShowTable(path, *table.value);
  }
  if (sample.quarantine.known()) {
    for (const auto& [cause, rows] : sample.quarantine.value->rows_by_cause) {
      Set(kQuarantineRows, {{"cause", cause}}, Real(rows));
    }
  }
  RemoveOthers();
}

void SampleMetrics::ShowBrokers(const BrokersSample& sample) {
  const bool cluster_known = sample.cluster_unknown.empty();
  int64_t registered = 0;
  for (const BrokerSample& broker : sample.brokers) {
    const std::string id = broker.id < 0 ? "" : std::to_string(broker.id);
    Set(kBrokerUp, {{"broker", id}, {"address", broker.address}}, broker.up ? 1 : 0);
    registered += broker.registered ? 1 : 0;
  }
  if (cluster_known) Set(kBrokers, {}, Real(registered));
  if (sample.controller >= 0) Set(kController, {}, sample.controller);
}

void SampleMetrics::ShowTopics(const std::string& own_name, const TopicsSample& sample) {
  if (!sample.own_exists) Set(kTopicPartitions, {{"topic", own_name}}, 0);
  std::map<int32_t, int64_t> led;
  for (const TopicSample& topic : sample.topics) {
    for (const PartitionSample& partition : topic.partitions) ++led[partition.state.leader];
    const prometheus::Labels labels{{"topic", topic.name}};
    const bool in_scope = scope_.all_topics || topic.name == own_name;
    if (in_scope) Set(kTopicPartitions, labels, Real(std::ssize(topic.partitions)));
    if (in_scope || topic.leaderless() > 0 || topic.under_replicated() > 0) {
      Set(kTopicLeaderless, labels, Real(topic.leaderless()));
      Set(kTopicUnderReplicated, labels, Real(topic.under_replicated()));
    }
  }
  for (const auto& [broker, partitions] : led) {
    if (broker >= 0) Set(kBrokerLeaders, {{"broker", std::to_string(broker)}}, Real(partitions));
  }
  if (const TopicSample* own = sample.own()) ShowOwnTopic(*own);
}

void SampleMetrics::ShowOwnTopic(const TopicSample& topic) {
  for (const PartitionSample& partition : topic.partitions) {
    const auto labels = OfPartition(topic.name, partition.state.id);
    Set(kPartitionLeader, labels, partition.state.leader);
    Set(kPartitionReplicas, labels, Real(std::ssize(partition.state.replicas)));
    Set(kPartitionInSync, labels, Real(std::ssize(partition.state.in_sync)));
    if (partition.log_start) Set(kPartitionLogStart, labels, Real(*partition.log_start));
    if (partition.end) Set(kPartitionEnd, labels, Real(*partition.end));
  }
}

void SampleMetrics::ShowLag(const std::string& topic, const LagsSample& sample) {
  for (const LagSample& lag : sample.partitions) {
    const auto labels = OfPartition(topic, lag.partition);
    Set(kStopped, labels, lag.stopped ? 1 : 0);
    if (lag.next) Set(kLakeNext, labels, Real(*lag.next));
    if (!lag.known()) continue;
    Set(kLagRecords, labels, Real(lag.records));
    Set(kExpired, labels, Real(lag.expired));
    if (lag.seconds) Set(kLagSeconds, labels, *lag.seconds);
    if (lag.clear_seconds) Set(kLagClear, labels, *lag.clear_seconds);
    if (lag.rates.in) Set(kRateIn, labels, *lag.rates.in);
    if (lag.rates.out) Set(kRateOut, labels, *lag.rates.out);
  }
}

void SampleMetrics::ShowGroups(const Sample& sample) {
  for (const GroupSample& group : sample.groups.value->groups) {
    const std::string& name = group.described.name;
    if (!group.known() || (!scope_.all_groups && name != sample.group)) continue;
    Set(kGroupState, {{"group", name}, {"state", group.described.state}}, 1);
    Set(kGroupMembers, {{"group", name}}, Real(std::ssize(group.described.members)));
    int64_t assigned = 0;
    for (const auto& member : group.described.members) assigned += member.partition_count();
    Set(kGroupAssigned, {{"group", name}}, Real(assigned));
    if (sample.topics.known()) ShowGroupLag(group, *sample.topics.value, sample.topic);
  }
}

void SampleMetrics::ShowGroupLag(const GroupSample& group, const TopicsSample& topics,
                                 const std::string& own_topic) {
  for (const auto& [at, records] : GroupLag(group, topics)) {
    if (!scope_.all_topics && at.topic != own_topic) continue;
    auto labels = OfPartition(at.topic, at.partition);
    labels["group"] = group.described.name;
    Set(kGroupLag, labels, Real(records));
  }
}

void SampleMetrics::ShowRegistry(const Seen<RegistrySample>& seen) {
  if (seen.at_ms == 0) return;  // Not asked yet.
  Set(kRegistryUp, {}, seen.known() ? 1 : 0);
  if (!seen.known()) return;
  Set(kRegistrySeconds, {}, Real(seen.took.count()) / kMillisPerSecond);
  Set(kRegistrySubjects, {}, Real(seen.value->subjects));
  Set(kRegistryDegraded, {}, seen.value->degraded.empty() ? 0 : 1);
}

void SampleMetrics::ShowTable(const std::string& path, const TableSample& sample) {
  const prometheus::Labels labels{{"table", path}};
  Set(kTableVersion, labels, Real(sample.version));
  Set(kTableFiles, labels, Real(sample.files));
  Set(kTableBytes, labels, Real(sample.bytes));
  if (sample.rows) Set(kTableRows, labels, Real(*sample.rows));
  Set(kTableSmallFiles, labels, Real(sample.small_files));
  if (sample.files > 0) {
    Set(kTableSmallShare, labels, Real(sample.small_files) / Real(sample.files));
  }
  if (sample.committed_ms) {
    Set(kTableCommitted, labels, Real(*sample.committed_ms) / kMillisPerSecond);
  }
  if (sample.complete_through_ms) {
    Set(kTableCompleteThrough, labels, Real(*sample.complete_through_ms) / kMillisPerSecond);
  }
}

}  // namespace shopstream::observe
