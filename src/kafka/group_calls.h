#pragma once

#include <librdkafka/rdkafka.h>

#include <string>
#include <vector>

#include "base/status.h"
#include "kafka/admin_calls.h"
#include "kafka/group_members.h"
#include "kafka/handles.h"

// The requests about consumer groups, for src/kafka/*.cc only.
namespace shopstream::kafka {

// The permission, for messages.
std::string ToDescribeGroup(const std::string& group);

struct GroupNames {
  std::vector<std::string> names;
  std::vector<Status> failures;  // Of brokers that did not answer: their groups are missing.
};
Result<GroupNames> ListGroupNames(AdminCalls* calls, const Deed& deed);

struct GroupAnswer {
  std::string name;
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  GroupDescription description{};  // Valid if ok().

  bool ok() const;  // Also if there is no such group.
};
// In the order of the names.
Result<std::vector<GroupAnswer>> AskForGroups(AdminCalls* calls,
                                              const std::vector<std::string>& names,
                                              const Deed& deed);

// What a group has committed. Both pointers live as long as the event.
struct GroupOffsets {
  EventHandle event;
  const rd_kafka_error_t* error = nullptr;
  const rd_kafka_topic_partition_list_t* partitions = nullptr;  // May be null.
};
// `wanted`: null: all partitions of all topics.
Result<GroupOffsets> AskForOffsets(AdminCalls* calls, const std::string& group,
                                   const rd_kafka_topic_partition_list_t* wanted, const Deed& deed);

}  // namespace shopstream::kafka
