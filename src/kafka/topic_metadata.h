#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"

namespace shopstream::kafka {

struct PartitionState {
  int32_t id = 0;
  int32_t leader = -1;  // -1: none
  std::vector<int32_t> replicas, in_sync;
};

struct TopicState {
  std::string name;
  std::string id;  // Kafka's topic id, as Kafka prints it (URL-safe base64, 22 characters).
  std::vector<PartitionState> partitions;
  // Filled by DescribeTopic only: the effective value of every setting, and the names of those set
  // on the topic itself.
  std::map<std::string, std::string> configs;
  std::set<std::string> own_configs;
  std::set<std::string> sensitive_configs;  // Kafka keeps their values to itself.
};

struct OffsetSpan {
  int64_t log_start = 0;  // The earliest offset that is still available.
  int64_t end = 0;        // One past the last (the last stable offset for read_committed).
};

// The interface to a cluster's topic metadata. Every call blocks and is bounded by a timeout.
// Thread-safe.
class TopicMetadata {
 public:
  virtual ~TopicMetadata() = default;
  // Nothing if the topic does not exist. An error: no broker answers.
  virtual Result<std::optional<TopicState>> DescribeTopic(const std::string& name,
                                                          bool with_configs) = 0;
  // One answer for each of the partitions, in their order. An error concerns its own partition, for
  // instance because it has no leader, or its leader does not answer (unavailable).
  virtual std::vector<Result<OffsetSpan>> OffsetSpans(const std::string& topic,
                                                      const std::vector<int32_t>& partitions) = 0;
};

// 0, 1, ... count - 1.
std::vector<int32_t> AllPartitions(size_t count);

}  // namespace shopstream::kafka
