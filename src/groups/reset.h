#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/status.h"
#include "groups/standing.h"
#include "kafka/group_admin.h"
#include "kafka/offset_reset.h"

namespace shopstream::groups {

// The partitions of each topic; empty: all of them.
using ChosenPartitions = std::map<std::string, std::vector<int32_t>>;

struct ResetRequest {
  std::string group;
  // Empty: what the target lists, or else all partitions that the group has committed.
  ChosenPartitions chosen;
  kafka::ResetTarget target;
};

struct ResetPlan {
  std::vector<kafka::OffsetReset> resets;
  bool creates_group = false;
  // If nobody named the partitions: those in which the group has committed nothing.
  std::map<std::string, std::vector<int32_t>> left_out;

  bool possible() const;  // Each partition can be reset.
};

// `config`: kafka.group is that of ingest. Reads what Kafka has and changes nothing. Invalid: the
// group's progress is in a lake's table, or it has members. KeyError: there is no such group, topic
// or partition.
Result<ResetPlan> PlanGroupReset(const KafkaConfig& config, const ResetRequest& request,
                                 kafka::GroupAdmin* groups);

// Commits a possible plan and reads it back: `after` is what Kafka has then. False: some partition
// is not as planned, or what Kafka has is not known; its note says why.
bool ExecuteReset(const std::string& group, ResetPlan* plan, kafka::GroupAdmin* groups);

}  // namespace shopstream::groups
