#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/topic_metadata.h"

namespace shopstream::kafka {

struct BrokerState {
  int32_t id = 0;
  std::string host;
  int port = 0;
};

struct ClusterState {
  std::string id;
  int32_t controller = -1;
  std::vector<BrokerState> brokers;
};

struct TopicSettings {
  std::string name;
  int partitions = 3;
  int replication_factor = 3;
  std::map<std::string, std::string> configs;
};

// Every call blocks and is bounded by a timeout (default 10 s). Thread-safe.
class Admin : public TopicMetadata {
 public:
  static Result<std::unique_ptr<Admin>> Open(const KafkaConfig& config,
                                             Millis timeout = Millis{10000});
  ~Admin() override;

  Result<ClusterState> DescribeCluster();
  Result<std::vector<TopicState>> ListTopics();
  Result<std::optional<TopicState>> DescribeTopic(const std::string& name,
                                                  bool with_configs = true) override;
  // Whether every broker that answers knows the topic with this many partitions, each with a
  // leader. Brokers learn of a change one after another, and clients may ask any of them.
  Result<bool> EveryBrokerServes(const std::string& name, int partitions);
  // OK if we may write to the topic, or if the brokers do not report it.
  Status CheckMayWrite(const std::string& name);
  Status CreateTopic(const TopicSettings& settings);
  Status AddPartitions(const std::string& name, int total);
  Status SetTopicConfigs(const std::string& name,
                         const std::map<std::string, std::string>& configs);
  std::vector<Result<OffsetSpan>> OffsetSpans(const std::string& topic,
                                              const std::vector<int32_t>& partitions) override;
  Result<OffsetSpan> SpanOf(const std::string& topic, int32_t partition);  // The same, of one.
  // The first offset of each partition whose record has this timestamp or a later one; -1: there
  // is none. In the order of the partitions.
  std::vector<Result<int64_t>> OffsetsAt(const std::string& topic,
                                         const std::vector<int32_t>& partitions,
                                         int64_t timestamp_ms);
  // Offsets that a group has committed to Kafka; -1: none. Indexed by partition.
  Result<std::vector<int64_t>> CommittedOffsets(const std::string& group, const std::string& topic,
                                                int partitions);

 private:
  struct Impl;
  explicit Admin(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream::kafka
