#include "groups/standing.h"

#include <algorithm>
#include <utility>

#include "base/nearest_name.h"
#include "ingest/start_checks.h"

namespace shopstream::groups {

bool GroupStanding::is_read_for_a_lake() const {
  return std::ranges::any_of(group.members,
                             [](const kafka::GroupMember& member) {
                               return ingest::IsLakeClient(member.client_id);
                             }) ||
         std::ranges::any_of(committed, [](const auto& entry) {
           return entry.second.ok() && ingest::IsLakeClient(entry.second->metadata);
         });
}

Result<GroupStanding> ReadGroup(const KafkaConfig& config, kafka::GroupAdmin* groups) {
  GroupStanding standing;
  ARROW_ASSIGN_OR_RAISE(standing.group, kafka::DescribeGroup(config));
  ARROW_ASSIGN_OR_RAISE(standing.committed, groups->Committed(config.group));
  return standing;
}

std::string NearGroup(const std::string& group, kafka::GroupAdmin* groups) {
  std::vector<std::string> names;
  if (const auto list = groups->List(); list.ok()) {
    for (const auto& [name, description] : list->groups) names.push_back(name);
  }
  return DidYouMean(group, names);
}

Status NoSuchGroup(const KafkaConfig& config, kafka::GroupAdmin* groups) {
  return Status::KeyError("there is no group ", config.group, " at ", config.bootstrap_servers,
                          Then(NearGroup(config.group, groups),
                               "see `shopstream group list`. Kafka forgets a group some time after "
                               "its last member has left (offsets.retention.minutes)"));
}

}  // namespace shopstream::groups
