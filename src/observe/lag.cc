#include "observe/lag.h"

#include <algorithm>

#include "lake/delta/table.h"
#include "observe/record_ages.h"
#include "tables/partition_state.h"

namespace shopstream::observe {
namespace {

Status MeasureAges(const KafkaConfig& config, Millis patience, std::vector<PartitionLag>* lags) {
  std::vector<OffsetRange> ranges;
  for (const PartitionLag& lag : *lags) {
    if (lag.lag > 0) ranges.push_back({lag.partition, lag.next(), lag.end});
  }
  ARROW_ASSIGN_OR_RAISE(const auto ages, FirstRecordAges(config, ranges, patience));
  for (const auto& [partition, age] : ages) (*lags)[static_cast<size_t>(partition)].lag_ms = age;
  return Status::OK();
}

}  // namespace

Result<std::map<std::string, int64_t>> ReadBronzeTxns(lake::ObjectStore* store,
                                                      const std::string& bronze_table) {
  const auto table = lake::Table::Open(store, bronze_table);
  if (table.status().IsKeyError()) return std::map<std::string, int64_t>{};
  ARROW_RETURN_NOT_OK(table.status());
  return (*table)->snapshot()->Txns();
}

Result<std::vector<PartitionLag>> MeasureLag(const KafkaConfig& config, kafka::Admin* admin,
                                             const kafka::TopicState& topic,
                                             const std::map<std::string, int64_t>& txns,
                                             Millis patience) {
  const auto count = static_cast<int>(topic.partitions.size());
  const auto spans =
      admin->OffsetSpans(topic.name, kafka::AllPartitions(static_cast<size_t>(count)));
  // For display only: without the group's offsets the lag is still known.
  auto committed = admin->CommittedOffsets(config.group, topic.name, count);
  if (!committed.ok()) committed = std::vector<int64_t>(topic.partitions.size(), -1);
  std::vector<PartitionLag> lags;
  for (int32_t p = 0; p < count; ++p) {
    const auto at = static_cast<size_t>(p);
    PartitionLag lag;
    lag.partition = p;
    if (spans[at].ok()) {
      lag.log_start = spans[at]->log_start;
      lag.end = spans[at]->end;
    } else {
      lag.unknown = spans[at].status().message();
    }
    const tables::PartitionState state = tables::ReadPartitionState(txns, topic.id, p);
    lag.txn = state.next;
    lag.stop = state.stop;
    if ((*committed)[at] >= 0) lag.committed = (*committed)[at];
    if (lag.known()) {
      lag.lag = std::max<int64_t>(0, lag.end - lag.next());
      if (lag.lag == 0) lag.lag_ms = 0;
    }
    lags.push_back(lag);
  }
  ARROW_RETURN_NOT_OK(MeasureAges(config, patience, &lags));
  return lags;
}

}  // namespace shopstream::observe
