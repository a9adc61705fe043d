#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"

namespace shopstream::kafka {

// The member that currently reads a partition for the group: "shopstream-1b2c... at 10.0.0.7"; a
// static member is shown by its group.instance.id.
using PartitionOwners = std::map<int32_t, std::string>;

// The owners in config.group of the partitions of config.topic. Partitions without an owner are
// left out; empty if the group has no members or does not exist. Blocks for at most `timeout`.
Result<PartitionOwners> DescribeOwners(const KafkaConfig& config, Millis timeout = Millis{10000});

struct GroupMember {
  std::string client_id;
  std::string name;  // As in PartitionOwners.
};

// All members of config.group, also those that died less than their session timeout ago.
Result<std::vector<GroupMember>> ListMembers(const KafkaConfig& config,
                                             Millis timeout = Millis{10000});

}  // namespace shopstream::kafka
