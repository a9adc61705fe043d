#include "kafka/group_members.h"

#include <functional>
#include <string_view>
#include <utility>

#include "base/retry.h"
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

// The coordinator has just changed, or is still loading the group: it answers soon.
bool IsSettling(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR ||
         code == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
         code == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
}

using VisitMember = std::function<void(const rd_kafka_MemberDescription_t*)>;

// Asks for the members of one group until its coordinator answers.
class GroupRequest {
 public:
  static Result<GroupRequest> Open(const KafkaConfig& config, Millis timeout) {
    ARROW_ASSIGN_OR_RAISE(ClientHandle client, NewClient(config));
    return GroupRequest(config, timeout, std::move(client));
  }

  Status Visit(const VisitMember& visit) {
    Retry retry(
        {.patience = {.first = Millis{100}, .longest = Millis{1000}, .give_up_after = timeout_}});
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const EventHandle event, Ask());
      const auto code = VisitAnswer(event.get(), visit);
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return Status::OK();
      const Status failure = Failure(code, "");  // The brokers' own text is often empty.
      if (!IsSettling(code)) return failure;
      ARROW_RETURN_NOT_OK(retry.Wait(failure));
      if (code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR) {
        // A client remembers the coordinator; a new one looks it up.
        ARROW_ASSIGN_OR_RAISE(client_, NewClient(config_));
      }
    }
  }

 private:
  static Result<ClientHandle> NewClient(const KafkaConfig& config) {
    ARROW_ASSIGN_OR_RAISE(rd_kafka_conf_t* const conf, MakeConf(config, {}, nullptr));
    return OpenClient(ClientKind::kProducer, conf);
  }

  GroupRequest(const KafkaConfig& config, Millis timeout, ClientHandle client)
      : config_(config), timeout_(timeout), client_(std::move(client)) {}

  Result<EventHandle> Ask() {
    ARROW_ASSIGN_OR_RAISE(const OptionsHandle options, NewOptions(client_.get(), timeout_));
    const QueueHandle queue(rd_kafka_queue_new(client_.get()));
    const char* groups[] = {config_.group.c_str()};
    rd_kafka_DescribeConsumerGroups(client_.get(), groups, 1, options.get(), queue.get());
    // The request's own timeout produces the event; allow one more second for its delivery.
    EventHandle event = AwaitEvent(client_.get(), queue.get(), timeout_ + Millis{1000});
    if (event == nullptr) return Failure(RD_KAFKA_RESP_ERR__TIMED_OUT, "");
    if (const auto code = rd_kafka_event_error(event.get())) {
      return Failure(code, rd_kafka_event_error_string(event.get()));
    }
    return event;
  }

  // Returns the group's error. A group that does not exist has no members.
  static rd_kafka_resp_err_t VisitAnswer(rd_kafka_event_t* event, const VisitMember& visit) {
    size_t count = 0;
    const auto** described = rd_kafka_DescribeConsumerGroups_result_groups(
        rd_kafka_event_DescribeConsumerGroups_result(event), &count);
    for (size_t g = 0; g < count; ++g) {
      const rd_kafka_error_t* error = rd_kafka_ConsumerGroupDescription_error(described[g]);
      const auto code = error == nullptr ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);
      if (code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) continue;
      if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return code;
      const size_t members = rd_kafka_ConsumerGroupDescription_member_count(described[g]);
      for (size_t m = 0; m < members; ++m) {
        visit(rd_kafka_ConsumerGroupDescription_member(described[g], m));
      }
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }

  Status Failure(rd_kafka_resp_err_t code, const char* reason) const {
    return DescribeFailure({.what = "describing the members of group " + config_.group,
                            .code = code,
                            .reason = reason,
                            .timeout = timeout_,
                            .needs = "DESCRIBE on group " + config_.group + " (READ includes it)"},
                           config_, client_.get());
  }

  const KafkaConfig& config_;
  Millis timeout_;
  ClientHandle client_;
};

Status VisitMembers(const KafkaConfig& config, Millis timeout, const VisitMember& visit) {
  ARROW_ASSIGN_OR_RAISE(GroupRequest request, GroupRequest::Open(config, timeout));
  return request.Visit(visit);
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
