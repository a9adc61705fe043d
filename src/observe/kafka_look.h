#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/admin.h"
#include "kafka/cluster_overview.h"
#include "observe/lag_rates.h"
#include "observe/sample.h"

namespace shopstream::observe {

// Looks at the brokers: asks the cluster for them, and connects to each. One thread.
class BrokersLook {
 public:
  // `timeout`: for the cluster's answer; half of it for all connections.
  BrokersLook(const KafkaConfig& config, Millis timeout) : config_(config), timeout_(timeout) {}

  Result<BrokersSample> Look();

 private:
  Result<kafka::ClusterState> AskCluster();
  void Probe(std::vector<BrokerSample>* brokers) const;

  const KafkaConfig config_;
  const Millis timeout_;
  std::unique_ptr<kafka::Admin> admin_;
  std::map<int32_t, std::string> known_;  // Addresses by id, of all brokers seen so far.
};

// Looks at topics: leaders, replicas, log starts and ends. One thread.
//
// A look costs one ListOffsets request to each broker; once a minute, and when partitions are new,
// a second one for log starts.
class TopicsLook {
 public:
  // `all`: every topic of the cluster. Otherwise only config.topic.
  TopicsLook(const KafkaConfig& config, bool all, Millis timeout)
      : config_(config), all_(all), timeout_(timeout) {}

  Result<TopicsSample> Look();

 private:
  Result<TopicsSample> Ask();
  Result<std::vector<kafka::TopicState>> Topics(bool* own_exists);
  void AddRates(TopicsSample* sample);
  Status RefreshStarts(const std::vector<kafka::TopicPartition>& led);

  const KafkaConfig config_;
  const bool all_;
  const Millis timeout_;
  std::unique_ptr<kafka::Admin> admin_;               // Null until opened, and after an error.
  std::unique_ptr<kafka::ClusterOverview> overview_;  // Likewise.
  std::string own_id_;  // The id of config.topic when it was last seen.
  std::map<kafka::TopicPartition, int64_t> starts_;
  BootClock::time_point starts_due_{};
  std::map<std::string, RateWindow> windows_;  // Of the sum of the topic's ends.
};

// Looks at consumer groups: their state, members and committed offsets. One thread.
class GroupsLook {
 public:
  // `all`: every group of the cluster. Otherwise only config.group.
  GroupsLook(const KafkaConfig& config, bool all, Millis timeout)
      : config_(config), all_(all), timeout_(timeout) {}

  Result<GroupsSample> Look();

 private:
  Result<GroupsSample> Ask();
  // `silent`: coordinators that did not answer for another group, and why.
  Result<GroupSample> AskGroup(const Result<kafka::GroupDescription>& described,
                               std::map<int32_t, Status>* silent) const;

  const KafkaConfig config_;
  const bool all_;
  const Millis timeout_;
  std::unique_ptr<kafka::ClusterOverview> overview_;  // Null until opened, and after an error.
};

}  // namespace shopstream::observe
