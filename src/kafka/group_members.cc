#include "kafka/group_members.h"

#include <optional>
#include <utility>

#include "base/retry.h"
#include "kafka/admin_calls.h"
#include "kafka/group_description.h"

namespace shopstream::kafka {
namespace {

// Asks for one group until its coordinator answers.
class GroupRequest {
 public:
  GroupRequest(const KafkaConfig& config, Millis timeout)
      : config_(config),
        timeout_(timeout),
        deed_{"describing the members of group " + config.group,
              "DESCRIBE on group " + config.group + " (READ includes it)"} {}

  Result<GroupDescription> Run() {
    Retry retry(
        {.patience = {.first = Millis{100}, .longest = Millis{1000}, .give_up_after = timeout_}});
    ARROW_ASSIGN_OR_RAISE(std::optional<AdminCalls> calls, AdminCalls::Open(config_, timeout_));
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const EventHandle event, Ask(&*calls));
      const auto* described = Described(event.get());
      const auto* error =
          described == nullptr ? nullptr : rd_kafka_ConsumerGroupDescription_error(described);
      const auto code = error == nullptr ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);
      if (described == nullptr) return Status::Invalid("the brokers returned no group");
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR || IsNoGroup(code)) {
        return ToGroupDescription(described);
      }
      const Status failure = calls->Failure(deed_, code);  // The brokers' own text is often empty.
      if (!IsSettling(code)) return failure;
      ARROW_RETURN_NOT_OK(retry.Wait(failure));
      if (code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR) {
        // A client remembers the coordinator; a new one looks it up.
        ARROW_ASSIGN_OR_RAISE(AdminCalls fresh, AdminCalls::Open(config_, timeout_));
        calls.emplace(std::move(fresh));
      }
    }
  }

 private:
  Result<EventHandle> Ask(AdminCalls* calls) const {
    const char* groups[] = {config_.group.c_str()};
    return calls->Call(RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, kClientsChoice, deed_,
                       [&](const auto* options, auto* queue) {
                         rd_kafka_DescribeConsumerGroups(calls->client(), groups, 1, options,
                                                         queue);
                       });
  }

  static const rd_kafka_ConsumerGroupDescription_t* Described(rd_kafka_event_t* event) {
    size_t count = 0;
    const auto** described = rd_kafka_DescribeConsumerGroups_result_groups(
        rd_kafka_event_DescribeConsumerGroups_result(event), &count);
    return count == 0 ? nullptr : described[0];
  }

  const KafkaConfig& config_;
  const Millis timeout_;
  const Deed deed_;
};

}  // namespace

Result<GroupDescription> DescribeGroup(const KafkaConfig& config, Millis timeout) {
  return GroupRequest(config, timeout).Run();
}

PartitionOwners OwnersOf(const GroupDescription& group, const std::string& topic) {
  PartitionOwners owners;
  for (const GroupMember& member : group.members) {
    const auto read = member.partitions.find(topic);
    if (read == member.partitions.end()) continue;
    for (const int32_t partition : read->second) owners[partition] = member.name;
  }
  return owners;
}

Result<std::vector<GroupMember>> ListMembers(const KafkaConfig& config, Millis timeout) {
  ARROW_ASSIGN_OR_RAISE(GroupDescription group, DescribeGroup(config, timeout));
  return std::move(group.members);
}

}  // namespace shopstream::kafka
