#include "kafka/group_members.h"

#include <functional>
#include <string_view>

#include "kafka/client.h"
#include "kafka/errors.h"
#include "kafka/handles.h"

namespace shopstream::kafka {
namespace {

using OptionsHandle = Handle<rd_kafka_AdminOptions_t, &rd_kafka_AdminOptions_destroy>;

std::string NameOf(const rd_kafka_MemberDescription_t* member) {
  const char* instance = rd_kafka_MemberDescription_group_instance_id(member);
  const char* name =
      instance != nullptr ? instance : rd_kafka_MemberDescription_consumer_id(member);
  std::string host = rd_kafka_MemberDescription_host(member);
  if (host.starts_with('/')) host.erase(0, 1);  // Java prints an unnamed host's address so.
  return std::string(name) + " at " + host;
}

void AddPartitions(const rd_kafka_MemberDescription_t* member, std::string_view topic,
                   PartitionOwners* owners) {
  const auto* assignment = rd_kafka_MemberDescription_assignment(member);
  if (assignment == nullptr) return;
  const auto* partitions = rd_kafka_MemberAssignment_partitions(assignment);
  if (partitions == nullptr) return;
  for (int i = 0; i < partitions->cnt; ++i) {
    const rd_kafka_topic_partition_t& partition = partitions->elems[i];
    if (partition.topic == topic) (*owners)[partition.partition] = NameOf(member);
  }
}

Result<OptionsHandle> NewOptions(rd_kafka_t* client, Millis timeout) {
  OptionsHandle options(
      rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS));
  char reason[256] = "";
  const auto code = rd_kafka_AdminOptions_set_request_timeout(
      options.get(), static_cast<int>(timeout.count()), reason, sizeof reason);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return Status::Invalid(reason);
  return options;
}

// Calls `visit` with each member of config.group.
Status VisitMembers(const KafkaConfig& config, Millis timeout,
                    const std::function<void(const rd_kafka_MemberDescription_t*)>& visit) {
  ARROW_ASSIGN_OR_RAISE(rd_kafka_conf_t* const conf, MakeConf(config, {}, nullptr));
  ARROW_ASSIGN_OR_RAISE(const ClientHandle client, OpenClient(ClientKind::kProducer, conf));
  const std::string what = "describing the members of group " + config.group;
  const auto failure = [&](rd_kafka_resp_err_t code, const char* reason) {
    const std::string needs = "DESCRIBE on group " + config.group + " (READ includes it)";
    return DescribeFailure(
        {.what = what, .code = code, .reason = reason, .timeout = timeout, .needs = needs}, config,
        client.get());
  };
  ARROW_ASSIGN_OR_RAISE(const OptionsHandle options, NewOptions(client.get(), timeout));
  const QueueHandle queue(rd_kafka_queue_new(client.get()));
  const char* groups[] = {config.group.c_str()};
  rd_kafka_DescribeConsumerGroups(client.get(), groups, 1, options.get(), queue.get());
  // The request's own timeout produces the event; allow one more second for its delivery.
  const EventHandle event = AwaitEvent(client.get(), queue.get(), timeout + Millis{1000});
  if (event == nullptr) return failure(RD_KAFKA_RESP_ERR__TIMED_OUT, "");
  if (const auto code = rd_kafka_event_error(event.get())) {
    return failure(code, rd_kafka_event_error_string(event.get()));
  }
  size_t count = 0;
  const auto** described = rd_kafka_DescribeConsumerGroups_result_groups(
      rd_kafka_event_DescribeConsumerGroups_result(event.get()), &count);
  for (size_t g = 0; g < count; ++g) {
    const rd_kafka_error_t* error = rd_kafka_ConsumerGroupDescription_error(described[g]);
    const auto code = error == nullptr ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);
    if (code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) continue;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return failure(code, rd_kafka_error_string(error));
    const size_t members = rd_kafka_ConsumerGroupDescription_member_count(described[g]);
    for (size_t m = 0; m < members; ++m) {
      visit(rd_kafka_ConsumerGroupDescription_member(described[g], m));
    }
  }
  return Status::OK();
}

}  // namespace

Result<PartitionOwners> DescribeOwners(const KafkaConfig& config, Millis timeout) {
  PartitionOwners owners;
  ARROW_RETURN_NOT_OK(VisitMembers(
      config, timeout, [&](const auto* member) { AddPartitions(member, config.topic, &owners); }));
  return owners;
}

Result<std::vector<GroupMember>> ListMembers(const KafkaConfig& config, Millis timeout) {
  std::vector<GroupMember> members;
  ARROW_RETURN_NOT_OK(VisitMembers(config, timeout, [&](const auto* member) {
    members.push_back({rd_kafka_MemberDescription_client_id(member), NameOf(member)});
  }));
  return members;
}

}  // namespace shopstream::kafka
