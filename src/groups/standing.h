#pragma once

#include <string>

#include "base/config.h"
#include "base/status.h"
#include "kafka/group_admin.h"
#include "kafka/group_members.h"
#include "observe/group_lag.h"

// Consumer groups, for the commands below `group` and for the console.
namespace shopstream::groups {

// What a group is and what it has committed.
struct GroupStanding {
  kafka::GroupDescription group;
  observe::CommittedOffsets committed;

  bool known() const { return group.exists || !committed.empty(); }
  // Its members, or those who committed its offsets, are ingests: the progress is in a table.
  bool is_read_for_a_lake() const;
};
// Reads it of the group named in the settings.
Result<GroupStanding> ReadGroup(const KafkaConfig& config, kafka::GroupAdmin* groups);

// "; did you mean 'x'?" for a group that does not exist; "": no name is near, or the brokers do not
// answer.
std::string NearGroup(const std::string& group, kafka::GroupAdmin* groups);

// The error about a group that does not exist; names the nearest one, if the brokers have one.
Status NoSuchGroup(const KafkaConfig& config, kafka::GroupAdmin* groups);

}  // namespace shopstream::groups
