#include "kafka/group_members.h"

#include <optional>
#include <utility>

#include "base/retry.h"
#include "kafka/admin_calls.h"
#include "kafka/group_calls.h"
#include "kafka/group_description.h"

namespace shopstream::kafka {
namespace {

// Asks for one group until its coordinator answers.
class GroupRequest {
 public:
  GroupRequest(const KafkaConfig& config, Millis timeout)
      : config_(config),
        timeout_(timeout),
        deed_{"describing the members of group " + config.group, ToDescribeGroup(config.group)} {}

  Result<GroupDescription> Run() {
    Retry retry(
        {.patience = {.first = Millis{100}, .longest = Millis{1000}, .give_up_after = timeout_}});
    ARROW_ASSIGN_OR_RAISE(std::optional<AdminCalls> calls, AdminCalls::Open(config_, timeout_));
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto answers, AskForGroups(&*calls, {config_.group}, deed_));
      if (answers.empty()) return Status::Invalid("the brokers returned no group");
      const auto code = answers.front().code;
      if (answers.front().ok()) return std::move(answers.front().description);
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
