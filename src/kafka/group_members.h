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

struct GroupMember {
  std::string client_id;
  std::string name;  // As in PartitionOwners.
  // What it reads, by topic.
  std::map<std::string, std::vector<int32_t>> partitions{};

  int64_t partition_count() const;
};

struct GroupDescription {
  std::string name;
  bool exists = false;
  // Kafka's names: Stable, Empty, PreparingRebalance, CompletingRebalance, Dead, Unknown.
  std::string state;
  std::string protocol;  // "classic", "consumer" (KIP-848) or "unknown".
  std::string assignor;  // Empty while nothing is assigned.
  int32_t coordinator = -1;
  // Also those that died less than their session timeout ago.
  std::vector<GroupMember> members{};
};

// config.group; a group that does not exist is no error. Blocks for at most `timeout`.
Result<GroupDescription> DescribeGroup(const KafkaConfig& config, Millis timeout = Millis{10000});

// The owners of the partitions of one topic; partitions without an owner are left out.
PartitionOwners OwnersOf(const GroupDescription& group, const std::string& topic);

// All members of config.group.
Result<std::vector<GroupMember>> ListMembers(const KafkaConfig& config,
                                             Millis timeout = Millis{10000});

}  // namespace shopstream::kafka
