#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "kafka/admin.h"

namespace shopstream::kafka {

// What takes a topic from its actual state to the wanted one. Empty: nothing to do.
struct TopicPlan {
  bool create = false;
  int raise_partitions_to = 0;  // 0: leave them
  std::map<std::string, std::string> set_configs;
  std::vector<std::string> changes;  // One line each, for a person.

  bool empty() const { return changes.empty(); }
};

// Pure. Invalid, with the remedy, where Kafka cannot get there: too few brokers to create the
// replicas, partitions to take away, another replication factor. Settings not named in `wanted`
// are left as they are.
Result<TopicPlan> PlanTopic(const TopicSettings& wanted, const std::optional<TopicState>& actual,
                            int brokers);

// Creates or reconciles the topic and waits (bounded) until every broker serves it, each partition
// with a leader. What it changed; empty where all was as wanted.
Result<std::vector<std::string>> SetUpTopic(Admin& admin, const TopicSettings& wanted);

// What the producers and consumers of purchases rely on: partitions, replicas, settings.
TopicSettings PurchaseTopicSettings(const std::string& name);

}  // namespace shopstream::kafka
