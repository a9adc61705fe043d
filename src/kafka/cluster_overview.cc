#include "kafka/cluster_overview.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <utility>

#include "base/error_kind.h"
#include "kafka/admin_calls.h"
#include "kafka/errors.h"
#include "kafka/group_calls.h"
#include "kafka/handles.h"

namespace shopstream::kafka {
namespace {

using OverviewMetadata = Handle<const rd_kafka_metadata_t, &rd_kafka_metadata_destroy>;

TopicState ToTopicState(const rd_kafka_metadata_topic_t& topic) {
  TopicState state;
  state.name = topic.topic;
  for (int p = 0; p < topic.partition_cnt; ++p) {
    const rd_kafka_metadata_partition_t& partition = topic.partitions[p];
    state.partitions.push_back(
        {.id = partition.id,
         .leader = partition.leader,
         .replicas = {partition.replicas, partition.replicas + partition.replica_cnt},
         .in_sync = {partition.isrs, partition.isrs + partition.isr_cnt}});
  }
  std::ranges::sort(state.partitions, {}, &PartitionState::id);
  return state;
}

}  // namespace

struct ClusterOverview::Impl {
  AdminCalls calls;

  Result<Offsets> ListOffsets(const std::vector<TopicPartition>& partitions,
                              rd_kafka_OffsetSpec_t spec);
};

Result<ClusterOverview::Offsets> ClusterOverview::Impl::ListOffsets(
    const std::vector<TopicPartition>& partitions, rd_kafka_OffsetSpec_t spec) {
  Offsets offsets;
  if (partitions.empty()) return offsets;
  const Deed asked{"listing the offsets of the topics", "DESCRIBE on the topics"};
  PartitionListHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const TopicPartition& one : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), one.topic.c_str(), one.partition)->offset = spec;
  }
  ARROW_ASSIGN_OR_RAISE(const EventHandle event,
                        calls.Call(RD_KAFKA_ADMIN_OP_LISTOFFSETS, kClientsChoice, asked,
                                   [&](const auto* options, auto* queue) {
                                     rd_kafka_ListOffsets(calls.client(), list.get(), options,
                                                          queue);
                                   }));
  size_t count = 0;
  const auto* infos =
      rd_kafka_ListOffsets_result_infos(rd_kafka_event_ListOffsets_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const auto* found = rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i]);
    const TopicPartition at{found->topic, found->partition};
    const std::string name = at.topic + " [" + std::to_string(at.partition) + "]";
    if (found->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      offsets.emplace(at, calls.Failure({"listing the offsets of topic " + name,
                                         "DESCRIBE on topic " + at.topic},
                                        found->err));
    } else if (found->offset >= 0) {
      offsets.emplace(at, found->offset);
    }
  }
  for (const TopicPartition& one : partitions) {
    offsets.emplace(one,
                    Unavailable("the leader of partition ", one.partition, " of topic ", one.topic,
                                " does not answer: `shopstream health` shows the brokers"));
  }
  return offsets;
}

ClusterOverview::ClusterOverview(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ClusterOverview::~ClusterOverview() = default;

Result<std::unique_ptr<ClusterOverview>> ClusterOverview::Open(const KafkaConfig& config,
                                                               Millis timeout) {
  ARROW_ASSIGN_OR_RAISE(AdminCalls calls, AdminCalls::Open(config, timeout));
  auto impl = std::make_unique<Impl>(Impl{std::move(calls)});
  return std::unique_ptr<ClusterOverview>(new ClusterOverview(std::move(impl)));
}

Result<std::vector<TopicState>> ClusterOverview::ListTopics() {
  const rd_kafka_metadata_t* raw = nullptr;
  const auto code = rd_kafka_metadata(impl_->calls.client(), /*all_topics=*/1, nullptr, &raw,
                                      static_cast<int>(impl_->calls.timeout().count()));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return impl_->calls.Failure({"listing the topics", "DESCRIBE on the topics"}, code);
  }
  const OverviewMetadata metadata(raw);
  std::vector<TopicState> topics;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    topics.push_back(ToTopicState(metadata->topics[i]));
  }
  std::ranges::sort(topics, {}, &TopicState::name);
  return topics;
}

Result<ClusterOverview::Offsets> ClusterOverview::Ends(
    const std::vector<TopicPartition>& partitions) {
  return impl_->ListOffsets(partitions, RD_KAFKA_OFFSET_SPEC_LATEST);
}

Result<ClusterOverview::Offsets> ClusterOverview::LogStarts(
    const std::vector<TopicPartition>& partitions) {
  return impl_->ListOffsets(partitions, RD_KAFKA_OFFSET_SPEC_EARLIEST);
}

Result<std::vector<std::string>> ClusterOverview::ListGroups() {
  const Deed asked{"listing the consumer groups", "DESCRIBE on the groups"};
  ARROW_ASSIGN_OR_RAISE(GroupNames listed, ListGroupNames(&impl_->calls, asked));
  // The groups of a broker that does not answer are missing, so the list is not one of all groups.
  if (!listed.failures.empty()) return listed.failures.front();
  std::ranges::sort(listed.names);
  return std::move(listed.names);
}

Result<ClusterOverview::Groups> ClusterOverview::DescribeGroups(
    const std::vector<std::string>& names) {
  Groups groups;
  if (names.empty()) return groups;
  const Deed asked{
      names.size() == 1 ? "describing group " + names.front() : "describing the consumer groups",
      ToDescribeGroup(names.front())};
  ARROW_ASSIGN_OR_RAISE(auto answers, AskForGroups(&impl_->calls, names, asked));
  for (GroupAnswer& answer : answers) {
    if (answer.ok()) {
      groups.emplace_back(std::move(answer.description));
    } else {
      groups.emplace_back(impl_->calls.Failure(
          {"describing group " + answer.name, ToDescribeGroup(answer.name)}, answer.code));
    }
  }
  return groups;
}

Result<std::map<TopicPartition, int64_t>> ClusterOverview::CommittedOffsets(
    const std::string& group) {
  const Deed asked{"reading the committed offsets of group " + group, ToDescribeGroup(group)};
  ARROW_ASSIGN_OR_RAISE(const GroupOffsets answer,
                        AskForOffsets(&impl_->calls, group, nullptr, asked));
  if (answer.error != nullptr) {
    return impl_->calls.Failure(asked, rd_kafka_error_code(answer.error),
                                rd_kafka_error_string(answer.error));
  }
  std::map<TopicPartition, int64_t> offsets;
  for (int p = 0; answer.partitions != nullptr && p < answer.partitions->cnt; ++p) {
    const rd_kafka_topic_partition_t& one = answer.partitions->elems[p];
    if (one.err == RD_KAFKA_RESP_ERR_NO_ERROR && one.offset >= 0) {
      offsets[{one.topic, one.partition}] = one.offset;
    }
  }
  return offsets;
}

}  // namespace shopstream::kafka
