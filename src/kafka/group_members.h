#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"

namespace shopstream::kafka {

// Who reads a partition for the group right now: "shopstream-1b2c... at 10.0.0.7", a static member
// by its group.instance.id.
using PartitionOwners = std::map<int32_t, std::string>;

// Of config.topic in config.group; partitions without an owner are left out, and so are all where
// the group has no members or does not exist. Blocks for `timeout` at most.
Result<PartitionOwners> DescribeOwners(const KafkaConfig& config, Millis timeout = Millis{10000});

}  // namespace shopstream::kafka
