#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "kafka/admin.h"

namespace shopstream::kafka {

// The changes from a topic's actual state to the wanted one. Empty: none needed.
struct TopicPlan {
  bool create = false;
  int raise_partitions_to = 0;  // 0: leave them
  std::map<std::string, std::string> set_configs;
  std::vector<std::string> changes;  // One human-readable line each.

  bool empty() const { return changes.empty(); }
};

// Pure. Invalid, with the remedy, if Kafka cannot reach the wanted state: too few brokers for the
// replicas, fewer partitions, another replication factor. Settings not named in `wanted` are not
// changed.
Result<TopicPlan> PlanTopic(const TopicSettings& wanted, const std::optional<TopicState>& actual,
                            int brokers);

// Creates or reconciles the topic and waits (bounded) until every broker serves it, each partition
// with a leader. Returns the changes; empty if nothing had to change.
Result<std::vector<std::string>> SetUpTopic(Admin& admin, const TopicSettings& wanted);

// The plan that raises the number of partitions to `total` and changes nothing else. Pure. Invalid,
// with the remedy: the topic has more, or too few brokers are up.
Result<TopicPlan> PlanExpansion(const TopicState& actual, int total, int brokers);

// Carries it out and waits as SetUpTopic. Returns the changes.
Result<std::vector<std::string>> ExpandTopic(Admin& admin, const TopicState& actual, int total);

// The settings that producers and consumers of purchases depend on.
TopicSettings PurchaseTopicSettings(const std::string& name);

}  // namespace shopstream::kafka
