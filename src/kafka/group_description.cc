#include "kafka/group_description.h"

#include <iterator>
#include <string>
#include <utility>

namespace shopstream::kafka {
namespace {

std::string NameOf(const rd_kafka_MemberDescription_t* member) {
  const char* instance = rd_kafka_MemberDescription_group_instance_id(member);
  const char* name =
      instance != nullptr ? instance : rd_kafka_MemberDescription_consumer_id(member);
  std::string host = rd_kafka_MemberDescription_host(member);
  if (host.starts_with('/')) host.erase(0, 1);  // Java prints an unnamed host's address so.
  return std::string(name) + " at " + host;
}

GroupMember ToMember(const rd_kafka_MemberDescription_t* member) {
  GroupMember out{rd_kafka_MemberDescription_client_id(member), NameOf(member)};
  const auto* assignment = rd_kafka_MemberDescription_assignment(member);
  if (assignment == nullptr) return out;
  const auto* partitions = rd_kafka_MemberAssignment_partitions(assignment);
  if (partitions == nullptr) return out;
  for (int i = 0; i < partitions->cnt; ++i) {
    const rd_kafka_topic_partition_t& partition = partitions->elems[i];
    out.partitions[partition.topic].push_back(partition.partition);
  }
  return out;
}

}  // namespace

int64_t GroupMember::partition_count() const {
  int64_t count = 0;
  for (const auto& [topic, of_topic] : partitions) count += std::ssize(of_topic);
  return count;
}

bool IsSettling(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR ||
         code == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
         code == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
}

bool IsNoGroup(rd_kafka_resp_err_t code) { return code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND; }

const char* ProtocolName(rd_kafka_consumer_group_type_t type) {
  switch (type) {
    case RD_KAFKA_CONSUMER_GROUP_TYPE_CONSUMER:
      return "consumer";
    case RD_KAFKA_CONSUMER_GROUP_TYPE_CLASSIC:
      return "classic";
    default:
      return "unknown";
  }
}

GroupDescription ToGroupDescription(const rd_kafka_ConsumerGroupDescription_t* described) {
  GroupDescription group;
  group.name = rd_kafka_ConsumerGroupDescription_group_id(described);
  const auto state = rd_kafka_ConsumerGroupDescription_state(described);
  group.state = rd_kafka_consumer_group_state_name(state);
  group.protocol = ProtocolName(rd_kafka_ConsumerGroupDescription_type(described));
  const auto* error = rd_kafka_ConsumerGroupDescription_error(described);
  // Brokers describe an absent group as dead, unless they say that it is absent.
  group.exists = state != RD_KAFKA_CONSUMER_GROUP_STATE_DEAD &&
                 (error == nullptr || !IsNoGroup(rd_kafka_error_code(error)));
  if (!group.exists) group.state = "Dead";
  const char* assignor = rd_kafka_ConsumerGroupDescription_partition_assignor(described);
  if (assignor != nullptr) group.assignor = assignor;
  const auto* coordinator = rd_kafka_ConsumerGroupDescription_coordinator(described);
  if (coordinator != nullptr) group.coordinator = rd_kafka_Node_id(coordinator);
  const size_t members = rd_kafka_ConsumerGroupDescription_member_count(described);
  for (size_t m = 0; m < members; ++m) {
    group.members.push_back(ToMember(rd_kafka_ConsumerGroupDescription_member(described, m)));
  }
  return group;
}

}  // namespace shopstream::kafka
