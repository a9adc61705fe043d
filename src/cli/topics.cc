#include <algorithm>
#include <iostream>
#include <memory>

#include "base/joined_ids.h"
#include "base/json.h"
#include "base/log.h"
#include "base/table_printer.h"
#include "cli/command.h"
#include "kafka/absent_topic.h"
#include "kafka/admin.h"
#include "kafka/errors.h"
#include "kafka/topic_plan.h"
#include "registry/kafka_store.h"

namespace shopstream::cli {
namespace {

using nlohmann::json;

struct TopicsOptions {
  std::string topic;  // Empty: kafka.topic.
  int partitions = 3;
  int replication_factor = 3;
};

int PrintChanges(const Context& context, const std::string& topic,
                 const std::vector<std::string>& changes) {
  if (context.json) {
    std::cout << json{{"topic", topic}, {"changes", changes}}.dump(2) << "\n";
    return kDone;
  }
  if (changes.empty()) std::cout << "topic " << topic << " needs no change\n";
  for (const auto& change : changes) std::cout << topic << ": " << change << "\n";
  return kDone;
}

Result<int> SetUp(const Context& context, const TopicsOptions& options) {
  const std::string& name = options.topic.empty() ? context.config.kafka.topic : options.topic;
  auto wanted = kafka::PurchaseTopicSettings(name);
  wanted.partitions = options.partitions;
  wanted.replication_factor = options.replication_factor;
  // With one replica, two in-sync replicas are impossible: nobody could write.
  if (wanted.replication_factor == 1) wanted.configs["min.insync.replicas"] = "1";
  ARROW_ASSIGN_OR_RAISE(auto admin, kafka::Admin::Open(context.config.kafka));
  ARROW_ASSIGN_OR_RAISE(auto changes, kafka::SetUpTopic(*admin, wanted));
  return PrintChanges(context, wanted.name, changes);
}

// Their programs find a record by its partition, and more partitions would change that.
Status CheckMayExpand(const std::string& topic) {
  if (topic.starts_with("__")) {
    return Status::Invalid("topic ", topic, " is not expanded: it is Kafka's own, and the brokers ",
                           "would look for offsets and transactions in other partitions");
  }
  if (topic == registry::KafkaStoreOptions().topic) {
    return Status::Invalid("topic ", topic, " is not expanded: it has the registry's schemas, ",
                           "whose order only a single partition keeps");
  }
  return Status::OK();
}

Result<int> Expand(const Context& context, const TopicsOptions& options) {
  const std::string& name = options.topic.empty() ? context.config.kafka.topic : options.topic;
  ARROW_RETURN_NOT_OK(CheckMayExpand(name));
  ARROW_ASSIGN_OR_RAISE(const auto admin, kafka::Admin::Open(context.config.kafka));
  ARROW_ASSIGN_OR_RAISE(const auto topic, admin->DescribeTopic(name, false));
  if (!topic) return kafka::DescribeAbsence(name, context.config.kafka, admin.get());
  ARROW_ASSIGN_OR_RAISE(const auto changes, kafka::ExpandTopic(*admin, *topic, options.partitions));
  return PrintChanges(context, name, changes);
}

Result<int> ListTopics(const Context& context) {
  ARROW_ASSIGN_OR_RAISE(auto admin, kafka::Admin::Open(context.config.kafka));
  ARROW_ASSIGN_OR_RAISE(auto topics, admin->ListTopics());
  if (topics.empty()) {
    // Kafka silently omits topics that the user may not see.
    Log::Warn("{} sees no topic: there is none, or it has no DESCRIBE on any",
              kafka::Principal(context.config.kafka));
  }
  TablePrinter table({"topic", "partitions", "replicas", "without_leader", "under_replicated"});
  for (const auto& topic : topics) {
    if (topic.name.starts_with("__")) continue;  // Kafka's own
    int leaderless = 0, under_replicated = 0;
    size_t replicas = 0;
    for (const auto& partition : topic.partitions) {
      leaderless += partition.leader < 0 ? 1 : 0;
      under_replicated += partition.in_sync.size() < partition.replicas.size() ? 1 : 0;
      replicas = std::max(replicas, partition.replicas.size());
    }
    table.AddRow({topic.name, topic.partitions.size(), replicas, leaderless, under_replicated});
  }
  table.Print(std::cout, context.json);
  return kDone;
}

json ToJson(const kafka::TopicState& topic) {
  json partitions = json::array();
  for (const auto& partition : topic.partitions) {
    partitions.push_back({{"partition", partition.id},
                          {"leader", partition.leader},
                          {"replicas", partition.replicas},
                          {"in_sync", partition.in_sync}});
  }
  return {{"topic", topic.name},
          {"id", topic.id},
          {"partitions", partitions},
          {"configs", topic.configs},
          {"own_configs", topic.own_configs}};
}

void PrintForPerson(const kafka::TopicState& topic) {
  std::cout << "topic " << topic.name << ", id " << topic.id << "\n\n";
  TablePrinter partitions({"partition", "leader", "replicas", "in sync"});
  for (const auto& partition : topic.partitions) {
    partitions.AddRow({partition.id, partition.leader < 0 ? Cell("none") : Cell(partition.leader),
                       JoinedIds(partition.replicas), JoinedIds(partition.in_sync)});
  }
  partitions.Print(std::cout, false);
  std::cout << "\n";
  TablePrinter settings({"setting", "value"});
  for (const auto& name : topic.own_configs) settings.AddRow({name, topic.configs.at(name)});
  settings.Print(std::cout, false);
}

Result<int> Describe(const Context& context, const TopicsOptions& options) {
  const std::string& name = options.topic.empty() ? context.config.kafka.topic : options.topic;
  ARROW_ASSIGN_OR_RAISE(auto admin, kafka::Admin::Open(context.config.kafka));
  ARROW_ASSIGN_OR_RAISE(auto topic, admin->DescribeTopic(name));
  if (!topic.has_value()) return kafka::DescribeAbsence(name, context.config.kafka, admin.get());
  if (context.json) {
    std::cout << ToJson(*topic).dump(2) << "\n";
  } else {
    PrintForPerson(*topic);
  }
  return kDone;
}

}  // namespace

Command TopicsCommand() {
  auto options = std::make_shared<TopicsOptions>();
  const Option partitions{.name = "--partitions",
                          .target = &options->partitions,
                          .meaning = "Number of partitions; can only grow",
                          .show_default = true,
                          .bounds = Bounds{1, 10000}};
  const Option replicas{.name = "--replication-factor",
                        .target = &options->replication_factor,
                        .meaning = "Replicas of each partition",
                        .show_default = true,
                        .bounds = Bounds{1, 100}};
  Command setup{"setup",
                "Create kafka.topic, or update its settings to the contract; reports the changes",
                {partitions, replicas},
                Running(options, SetUp)};
  Command create{"create",
                 "Create a topic with the same settings as kafka.topic, or update it to them",
                 {{.name = "TOPIC",
                   .target = &options->topic,
                   .meaning = "Name of the topic",
                   .required = true},
                  partitions,
                  replicas},
                 Running(options, SetUp)};
  Command expand{"expand",
                 "Add partitions to a topic; a running ingest reads them within seconds",
                 {{.name = "TOPIC", .target = &options->topic, .meaning = "Default: kafka.topic"},
                  {.name = "--partitions",
                   .target = &options->partitions,
                   .meaning = "Number of partitions afterwards; can only grow",
                   .required = true,
                   .bounds = Bounds{1, 10000}}},
                 Running(options, Expand)};
  Command list{"list", "List topics and the health of their partitions", {}, ListTopics};
  Command describe{
      "describe",
      "Show leaders, in-sync replicas and settings",
      {{.name = "TOPIC", .target = &options->topic, .meaning = "Default: kafka.topic"}},
      Running(options, Describe)};
  return {.name = "topics",
          .meaning = "Create and inspect Kafka topics",
          .commands = {std::move(setup), std::move(create), std::move(expand), std::move(list),
                       std::move(describe)}};
}

}  // namespace shopstream::cli
