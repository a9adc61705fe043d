#include "kafka/cluster_overview.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <utility>

#include "base/error_kind.h"
#include "kafka/admin_calls.h"
#include "kafka/errors.h"
#include "kafka/group_description.h"
#include "kafka/handles.h"

namespace shopstream::kafka {
namespace {

using OverviewMetadata = Handle<const rd_kafka_metadata_t, &rd_kafka_metadata_destroy>;
using WantedOffsets =
    Handle<rd_kafka_ListConsumerGroupOffsets_t, &rd_kafka_ListConsumerGroupOffsets_destroy>;

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
  ARROW_ASSIGN_OR_RAISE(const EventHandle event,
                        impl_->calls.Call(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, kClientsChoice,
                                          asked, [&](const auto* options, auto* queue) {
                                            rd_kafka_ListConsumerGroups(impl_->calls.client(),
                                                                        options, queue);
                                          }));
  const auto* result = rd_kafka_event_ListConsumerGroups_result(event.get());
  size_t count = 0;
  const auto* errors = rd_kafka_ListConsumerGroups_result_errors(result, &count);
  // The groups of a broker that does not answer are missing, so the list is not one of all groups.
  if (count > 0) {
    return impl_->calls.Failure(asked, rd_kafka_error_code(errors[0]),
                                rd_kafka_error_string(errors[0]));
  }
  const auto* valid = rd_kafka_ListConsumerGroups_result_valid(result, &count);
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) {
    names.emplace_back(rd_kafka_ConsumerGroupListing_group_id(valid[i]));
  }
  std::ranges::sort(names);
  return names;
}

Result<ClusterOverview::Groups> ClusterOverview::DescribeGroups(
    const std::vector<std::string>& names) {
  Groups groups;
  if (names.empty()) return groups;
  const Deed asked{
      names.size() == 1 ? "describing group " + names.front() : "describing the consumer groups",
      "DESCRIBE on group " + names.front() + " (READ includes it)"};
  std::vector<const char*> raw_names;
  for (const std::string& name : names) raw_names.push_back(name.c_str());
  ARROW_ASSIGN_OR_RAISE(const EventHandle event,
                        impl_->calls.Call(RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, kClientsChoice,
                                          asked, [&](const auto* options, auto* queue) {
                                            rd_kafka_DescribeConsumerGroups(
                                                impl_->calls.client(), raw_names.data(),
                                                raw_names.size(), options, queue);
                                          }));
  size_t count = 0;
  const auto** described = rd_kafka_DescribeConsumerGroups_result_groups(
      rd_kafka_event_DescribeConsumerGroups_result(event.get()), &count);
  for (size_t g = 0; g < count; ++g) {
    const rd_kafka_error_t* error = rd_kafka_ConsumerGroupDescription_error(described[g]);
    const auto code = error == nullptr ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && !IsNoGroup(code)) {
      const std::string group = rd_kafka_ConsumerGroupDescription_group_id(described[g]);
      groups.emplace_back(impl_->calls.Failure(
          {"describing group " + group, "DESCRIBE on group " + group + " (READ includes it)"},
          code));
    } else {
      groups.emplace_back(ToGroupDescription(described[g]));
    }
  }
  return groups;
}

Result<std::map<TopicPartition, int64_t>> ClusterOverview::CommittedOffsets(
    const std::string& group) {
  const Deed asked{"reading the committed offsets of group " + group,
                   "DESCRIBE on group " + group + " (READ includes it)"};
  const WantedOffsets wanted(rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), nullptr));
  rd_kafka_ListConsumerGroupOffsets_t* groups[] = {wanted.get()};
  ARROW_ASSIGN_OR_RAISE(
      const EventHandle event,
      impl_->calls.Call(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, kClientsChoice, asked,
                        [&](const auto* options, auto* queue) {
                          rd_kafka_ListConsumerGroupOffsets(impl_->calls.client(), groups, 1,
                                                            options, queue);
                        }));
  size_t count = 0;
  const auto* results = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(event.get()), &count);
  std::map<TopicPartition, int64_t> offsets;
  for (size_t i = 0; i < count; ++i) {
    const rd_kafka_error_t* error = rd_kafka_group_result_error(results[i]);
    if (error != nullptr) {
      return impl_->calls.Failure(asked, rd_kafka_error_code(error), rd_kafka_error_string(error));
    }
    const auto* found = rd_kafka_group_result_partitions(results[i]);
    for (int p = 0; found != nullptr && p < found->cnt; ++p) {
      const rd_kafka_topic_partition_t& one = found->elems[p];
      if (one.err == RD_KAFKA_RESP_ERR_NO_ERROR && one.offset >= 0) {
        offsets[{one.topic, one.partition}] = one.offset;
      }
    }
  }
  return offsets;
}

}  // namespace shopstream::kafka
