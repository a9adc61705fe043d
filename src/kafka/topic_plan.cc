#include "kafka/topic_plan.h"

#include "base/error_kind.h"
#include "base/retry.h"
#include "base/shutdown.h"

namespace shopstream::kafka {
namespace {

Status TooFewBrokers(const TopicSettings& wanted, int brokers) {
  return Status::Invalid("topic ", wanted.name, " needs ", wanted.replication_factor,
                         " brokers for its replication factor, ", brokers, " are up: start the ",
                         "others, or ask for --replication-factor ", brokers);
}

Status TooManyPartitions(const TopicSettings& wanted, size_t actual) {
  return Status::Invalid(
      "topic ", wanted.name, " has ", actual, " partitions, ", wanted.partitions,
      " are wanted, and Kafka cannot take partitions away: ", "ask for --partitions ", actual,
      ", or delete the topic with its records ", "and set it up again");
}

Status OtherReplicationFactor(const TopicSettings& wanted, const PartitionState& partition) {
  return Status::Invalid("topic ", wanted.name, " [", partition.id, "] has ",
                         partition.replicas.size(), " replicas, ", wanted.replication_factor,
                         " are wanted: move it with kafka-reassign-partitions.sh, ask for ",
                         "--replication-factor ", partition.replicas.size(),
                         ", or delete the topic with its records and set it up again");
}

// One line for people.
std::string ExpansionLine(size_t from, int to) {
  return "partitions: " + std::to_string(from) + " -> " + std::to_string(to) +
         " (keys move: a user's earlier events are in another partition)";
}

TopicPlan PlanCreation(const TopicSettings& wanted) {
  TopicPlan plan;
  plan.create = true;
  plan.changes.push_back("created topic " + wanted.name + " with " +
                         std::to_string(wanted.partitions) + " partitions, replication factor " +
                         std::to_string(wanted.replication_factor));
  for (const auto& [key, value] : wanted.configs) plan.changes.push_back(key + " = " + value);
  return plan;
}

Status WaitForLeaders(Admin& admin, const std::string& topic, int partitions) {
  Retry retry(
      {.patience = {.first = Millis{50}, .longest = Millis{500}, .give_up_after = Millis{30000}},
       .stop = StopToken(ShutdownRequested)});
  return retry.Run([&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const bool serves, admin.EveryBrokerServes(topic, partitions));
    if (serves) return Status::OK();
    return Unavailable("topic ", topic, " has partitions without a leader after 30 s: ",
                       "see `shopstream topics describe ", topic,
                       "`, and start the brokers that are down");
  });
}

}  // namespace

Result<TopicPlan> PlanTopic(const TopicSettings& wanted, const std::optional<TopicState>& actual,
                            int brokers) {
  if (!actual.has_value()) {
    if (brokers < wanted.replication_factor) return TooFewBrokers(wanted, brokers);
    return PlanCreation(wanted);
  }
  for (const PartitionState& partition : actual->partitions) {
    if (static_cast<int>(partition.replicas.size()) != wanted.replication_factor) {
      return OtherReplicationFactor(wanted, partition);
    }
  }
  const auto partitions = static_cast<int>(actual->partitions.size());
  if (partitions > wanted.partitions) return TooManyPartitions(wanted, partitions);
  TopicPlan plan;
  if (partitions < wanted.partitions) {
    if (brokers < wanted.replication_factor) return TooFewBrokers(wanted, brokers);
    plan.raise_partitions_to = wanted.partitions;
    plan.changes.push_back(ExpansionLine(actual->partitions.size(), wanted.partitions));
  }
  for (const auto& [key, value] : wanted.configs) {
    const auto found = actual->configs.find(key);
    const std::string now = found == actual->configs.end() ? "(unknown)" : found->second;
    if (now == value) continue;
    plan.set_configs[key] = value;
    plan.changes.push_back(key + ": " + now + " -> " + value);
  }
  return plan;
}

Result<std::vector<std::string>> SetUpTopic(Admin& admin, const TopicSettings& wanted) {
  ARROW_ASSIGN_OR_RAISE(ClusterState cluster, admin.DescribeCluster());
  ARROW_ASSIGN_OR_RAISE(auto actual, admin.DescribeTopic(wanted.name));
  ARROW_ASSIGN_OR_RAISE(TopicPlan plan,
                        PlanTopic(wanted, actual, static_cast<int>(cluster.brokers.size())));
  if (plan.create) ARROW_RETURN_NOT_OK(admin.CreateTopic(wanted));
  if (plan.raise_partitions_to > 0) {
    ARROW_RETURN_NOT_OK(admin.AddPartitions(wanted.name, plan.raise_partitions_to));
  }
  if (!plan.set_configs.empty()) {
    ARROW_RETURN_NOT_OK(admin.SetTopicConfigs(wanted.name, plan.set_configs));
  }
  ARROW_RETURN_NOT_OK(WaitForLeaders(admin, wanted.name, wanted.partitions));
  return plan.changes;
}

Result<TopicPlan> PlanExpansion(const TopicState& actual, int total, int brokers) {
  const size_t now = actual.partitions.size();
  if (static_cast<size_t>(total) < now) {
    return Status::Invalid("topic ", actual.name, " has ", now, " partitions, ", total,
                           " are wanted, and Kafka cannot take partitions away: ask for more than ",
                           now);
  }
  TopicPlan plan;
  if (static_cast<size_t>(total) == now) return plan;
  // Kafka gives new partitions as many replicas as the first has.
  const size_t replicas = now == 0 ? 1 : actual.partitions.front().replicas.size();
  if (static_cast<size_t>(brokers) < replicas) {
    return Status::Invalid("topic ", actual.name, " has ", replicas,
                           " replicas of each partition, ", "and ", brokers,
                           " brokers are up: start the others");
  }
  plan.raise_partitions_to = total;
  plan.changes.push_back(ExpansionLine(now, total));
  return plan;
}

Result<std::vector<std::string>> ExpandTopic(Admin& admin, const TopicState& actual, int total) {
  ARROW_ASSIGN_OR_RAISE(const ClusterState cluster, admin.DescribeCluster());
  ARROW_ASSIGN_OR_RAISE(TopicPlan plan,
                        PlanExpansion(actual, total, static_cast<int>(cluster.brokers.size())));
  if (plan.empty()) return plan.changes;
  ARROW_RETURN_NOT_OK(admin.AddPartitions(actual.name, plan.raise_partitions_to));
  ARROW_RETURN_NOT_OK(WaitForLeaders(admin, actual.name, total));
  return plan.changes;
}

TopicSettings PurchaseTopicSettings(const std::string& name) {
  return {.name = name,
          .partitions = 3,
          .replication_factor = 3,
          .configs = {{"compression.type", "snappy"},
                      {"min.insync.replicas", "2"},
                      {"retention.ms", "604800000"}}};  // 7 days
}

}  // namespace shopstream::kafka
