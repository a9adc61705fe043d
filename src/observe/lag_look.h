#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/cluster_overview.h"
#include "observe/first_records.h"
#include "observe/lag_history.h"
#include "observe/lag_rates.h"
#include "observe/sample.h"

namespace shopstream::observe {

// The history of lag, written by one thread and read by others.
class SharedHistory {
 public:
  template <typename Use>
  auto With(const Use& use) {
    const std::lock_guard lock(mutex_);
    return use(&history_);
  }

 private:
  std::mutex mutex_;
  LagHistory history_;  // Guarded by mutex_.
};

// The lag of each partition of a topic: Kafka's ends, compared with Bronze's own progress. Without
// times and rates.
LagsSample CompareEnds(const TopicSample& topic, const TableSample& bronze);

// What Kafka has and a group has not committed yet, of the partitions in which it has committed
// anything, and whose end is known.
std::map<kafka::TopicPartition, int64_t> GroupLag(const GroupSample& group,
                                                  const TopicsSample& topics);
// Adds the lag of each group but `own`, whose lag is the lake's.
void RememberGroups(const GroupsSample& groups, const TopicsSample& topics, const std::string& own,
                    LagHistory* history);

// Adds rates, times and history to what was seen of the topic and of Bronze. One thread.
class LagLook {
 public:
  static constexpr Millis kAgePatience{2000};  // A look reads records for no longer.

  LagLook(const KafkaConfig& config, std::shared_ptr<SharedHistory> history)
      : config_(config), first_records_(config), history_(std::move(history)) {}

  Result<LagsSample> Look(const Seen<TopicsSample>& topics, const Seen<TableSample>& bronze,
                          const std::string& bronze_table);

 private:
  void AddRates(BootClock::time_point at, const TopicSample& topic, LagsSample* lags);
  void AddAges(const TopicSample& topic, LagsSample* lags);
  void Remember(BootClock::time_point at, const LagsSample& lags) const;

  const KafkaConfig config_;
  FirstRecords first_records_;
  const std::shared_ptr<SharedHistory> history_;
  std::string topic_id_;
  std::map<int32_t, RateWindow> windows_;
};

}  // namespace shopstream::observe
