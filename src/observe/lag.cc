#include "observe/lag.h"

#include <algorithm>
#include <set>

#include "kafka/reader.h"
#include "lake/delta/table.h"
#include "model/calendar.h"
#include "tables/partition_state.h"

namespace shopstream::observe {
namespace {

// Only the first record of each range is needed, so little is fetched ahead.
constexpr kafka::ConsumerOptions kFirstRecordsOnly{.queue_kbytes = 1024, .poll_records = 100};

std::optional<int64_t> AgeOf(int64_t sent_ms, int64_t now_ms) {
  if (!IsKnownMillis(sent_ms)) return std::nullopt;
  return std::max<int64_t>(0, now_ms - sent_ms);
}

// Reads from `next` to the first existing record: offsets may be skipped.
Status MeasureAges(const KafkaConfig& config, Millis patience, std::vector<PartitionLag>* lags) {
  std::vector<OffsetRange> ranges;
  for (const PartitionLag& lag : *lags) {
    if (lag.lag > 0) ranges.push_back({lag.partition, lag.next(), lag.end});
  }
  std::set<int32_t> wanted;
  for (const OffsetRange& range : ranges) wanted.insert(range.partition);
  if (wanted.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto reader, kafka::Reader::Open(config, ranges, kFirstRecordsOnly));
  const BootClock::time_point deadline = BootClock::now() + patience;
  while (!wanted.empty() && !reader->done() && BootClock::now() < deadline) {
    ARROW_ASSIGN_OR_RAISE(const kafka::RecordBatch batch, reader->Next(Millis{100}));
    // Its age stays unknown: the batch at its progress may be damaged.
    for (const auto& failed : reader->failed()) wanted.erase(failed.first);
    for (const kafka::RecordView& record : batch.records) {
      if (wanted.erase(record.partition) == 0) continue;
      (*lags)[static_cast<size_t>(record.partition)].lag_ms =
          AgeOf(record.timestamp_ms, WallClockMillis());
    }
  }
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
