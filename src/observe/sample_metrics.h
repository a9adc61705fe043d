#pragma once

#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>

#include "observe/sample.h"

namespace shopstream::observe {

// The metrics that show a sample. All are gauges.
enum class SampleMetric : uint8_t {
  kBrokers,
  kBrokerUp,
  kBrokerLeaders,
  kController,
  kTopicPartitions,
  kTopicLeaderless,
  kTopicUnderReplicated,
  kPartitionLeader,
  kPartitionReplicas,
  kPartitionInSync,
  kPartitionLogStart,
  kPartitionEnd,
  kLakeNext,
  kLagRecords,
  kLagSeconds,
  kLagClear,
  kRateIn,
  kRateOut,
  kExpired,
  kStopped,
  kGroupState,
  kGroupMembers,
  kGroupAssigned,
  kGroupLag,
  kRegistryUp,
  kRegistrySeconds,
  kRegistrySubjects,
  kRegistryDegraded,
  kTableVersion,
  kTableFiles,
  kTableBytes,
  kTableRows,
  kTableSmallFiles,
  kTableSmallShare,
  kTableCommitted,
  kTableCompleteThrough,
  kQuarantineRows,
  kPartUp,
  kPartSeconds,
  kPartSampled,
};

struct SampleMetricHelp {
  SampleMetric metric;
  const char* name;
  const char* labels;  // Separated by commas; empty: none.
  const char* help;
};
// In the order of SampleMetric.
std::span<const SampleMetricHelp> AllSampleMetrics();

// Which topics and groups of a sample have gauges: a sample for the console has all of the cluster,
// which may be too many series for Prometheus. Partitions without a leader, or with too few
// replicas in sync, have theirs in any topic.
struct SampleScope {
  bool all_topics = false;  // false: only kafka.topic.
  bool all_groups = false;  // false: only kafka.group.
};

// Shows samples as gauges of a registry. What a sample does not know has no gauge. One thread.
class SampleMetrics {
 public:
  // Borrows the registry, which outlives it.
  SampleMetrics(prometheus::Registry* registry, SampleScope scope);
  ~SampleMetrics();
  SampleMetrics(const SampleMetrics&) = delete;
  SampleMetrics& operator=(const SampleMetrics&) = delete;

  void Show(const Sample& sample);

 private:
  using Family = prometheus::Family<prometheus::Gauge>;
  struct Gauge {
    prometheus::Gauge* gauge;
    int64_t shown_by;  // The number of the sample that last set it.
  };

  void Set(SampleMetric metric, const prometheus::Labels& labels, double value);
  template <typename T>
  void ShowPart(const std::string& name, const Seen<T>& part);
  void ShowBrokers(const BrokersSample& sample);
  // own_name: kafka.topic.
  void ShowTopics(const std::string& own_name, const TopicsSample& sample);
  void ShowOwnTopic(const TopicSample& topic);
  void ShowLag(const std::string& topic, const LagsSample& sample);
  void ShowGroups(const Sample& sample);
  // `own_topic`: kafka.topic.
  void ShowGroupLag(const GroupSample& group, const TopicsSample& topics,
                    const std::string& own_topic);
  void ShowRegistry(const Seen<RegistrySample>& seen);
  void ShowTable(const std::string& path, const TableSample& sample);
  void RemoveOthers();

  const SampleScope scope_;
  std::map<SampleMetric, Family*> families_;
  std::map<std::pair<SampleMetric, prometheus::Labels>, Gauge> gauges_;
  int64_t shown_ = 0;  // Samples.
};

}  // namespace shopstream::observe
