#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/group_members.h"
#include "kafka/topic_metadata.h"
#include "kafka/topic_partition.h"

namespace shopstream::kafka {

// Reads the state of many topics and groups with as few requests as the protocol allows. One
// client, which reconnects when brokers come back; open another one after an error, because a
// client may remember a broker that no longer coordinates a group. Calls block, each for at most
// the timeout; thread-safe.
class ClusterOverview {
 public:
  static Result<std::unique_ptr<ClusterOverview>> Open(const KafkaConfig& config, Millis timeout);
  ~ClusterOverview();

  // All topics that we may see, by name, without their ids. One request.
  Result<std::vector<TopicState>> ListTopics();
  // The ends of partitions, or their log starts. One request to each broker that leads one of them.
  // All must have a leader: the client waits for it otherwise. An error concerns its own partition;
  // those whose leader does not answer in time are unavailable.
  using Offsets = std::map<TopicPartition, Result<int64_t>>;
  Result<Offsets> Ends(const std::vector<TopicPartition>& partitions);
  Result<Offsets> LogStarts(const std::vector<TopicPartition>& partitions);
  // Names of all consumer groups that we may see, sorted. One request to each broker.
  Result<std::vector<std::string>> ListGroups();
  // In the order of the names. One request to each group's coordinator. An error concerns its own
  // group.
  using Groups = std::vector<Result<GroupDescription>>;
  Result<Groups> DescribeGroups(const std::vector<std::string>& names);
  // What a group has committed, in every topic. One request.
  Result<std::map<TopicPartition, int64_t>> CommittedOffsets(const std::string& group);

 private:
  struct Impl;
  explicit ClusterOverview(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream::kafka
