#include "observe/progress.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "kafka/errors.h"
#include "kafka/reader.h"
#include "lake/delta/existing_table.h"
#include "observe/coverage.h"
#include "observe/lake_history.h"
#include "observe/progress_ticker.h"
#include "observe/read_ranges.h"
#include "tables/progress.h"
#include "tables/table_topic.h"

namespace shopstream::observe {
namespace {

class ProgressReader {
 public:
  ProgressReader(const KafkaConfig& config, const ProgressOptions& options, ProgressTicker* ticker)
      : config_(config), options_(options), ticker_(ticker) {}

  // Compares the histories, and fills in what would be lost.
  Status Explain(LakeHistory lake, PartitionReport* report) {
    const tables::PartitionState& state = report->state;
    if (state.position.last) lake.sample.AddLast(*state.position.last);
    const kafka::OffsetSpan& span = *report->kafka;
    const int64_t next = state.next.value_or(0);
    Parting parting(span.log_start, std::move(lake.sample), &lake.offsets);
    std::vector<OffsetRange> ranges;  // Without those lost already, which may be damaged.
    ForEachNotLost(state.lost, span.log_start, std::min(next, span.end),
                   [&](int64_t begin, int64_t end) {
                     ranges.push_back({report->partition, begin, end});
                   });
    ARROW_RETURN_NOT_OK(ReadKafka(ranges, &parting));
    parting.Finish(std::min(next, span.end));
    report->would_lose = LossOf(report->partition, state, span.end, parting, lake.committed_to);
    report->records_to_lose = parting.records();
    report->empty_in_loss = EmptyIn(*report->would_lose, state, lake.offsets);
    return Status::OK();
  }

 private:
  Status ReadKafka(const std::vector<OffsetRange>& ranges, Parting* parting) {
    if (ranges.empty()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto reader, kafka::Reader::Open(config_, ranges));
    ARROW_RETURN_NOT_OK(ReadRanges(reader.get(), ranges, options_.patience, ticker_,
                                   [&](const kafka::RecordView& record) { parting->Add(record); }));
    return reader->failed().empty() ? Status::OK() : reader->failed().begin()->second;
  }

  const KafkaConfig& config_;
  const ProgressOptions& options_;
  ProgressTicker* const ticker_;
};

}  // namespace

int64_t PartitionReport::lost_before() const {
  int64_t offsets = 0, counted_to = 0;
  for (const OffsetRange& range : state.lost) {
    offsets += std::max<int64_t>(0, range.end - std::max(range.begin, counted_to));
    counted_to = std::max(counted_to, range.end);
  }
  return offsets;
}

bool ProgressReport::any_unknown() const {
  return std::any_of(partitions.begin(), partitions.end(),
                     [](const PartitionReport& p) { return !p.unknown.empty(); });
}

bool ProgressReport::any_stopped() const {
  return std::any_of(partitions.begin(), partitions.end(),
                     [](const PartitionReport& p) { return p.state.stopped(); });
}

Result<ProgressReport> ShowProgress(const KafkaConfig& config, const LakeConfig& lake,
                                    kafka::Admin* admin, lake::ObjectStore* store,
                                    const ProgressOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto bronze, lake::OpenExisting(store, lake.bronze_table));
  const auto snapshot = bronze->snapshot();
  ARROW_ASSIGN_OR_RAISE(const auto topic, admin->DescribeTopic(config.topic, false));
  if (!topic) return kafka::NoSuchTopic(config.topic, config.bootstrap_servers);
  ARROW_RETURN_NOT_OK(
      tables::CheckFilledFrom(*snapshot, lake.bronze_table, config.topic, topic->id));
  ProgressReport report{.topic = config.topic, .topic_id = topic->id, .partitions = {}};
  const auto spans =
      admin->OffsetSpans(config.topic, kafka::AllPartitions(topic->partitions.size()));
  std::vector<int32_t> to_explain;
  for (size_t p = 0; p < topic->partitions.size(); ++p) {
    PartitionReport& partition = report.partitions.emplace_back();
    partition.partition = static_cast<int32_t>(p);
    partition.state = tables::ReadPartitionState(snapshot->Txns(), topic->id, partition.partition);
    if (spans[p].ok()) {
      partition.kafka = *spans[p];
    } else {
      partition.unknown = spans[p].status().message();
    }
    if (partition.state.stopped() && partition.kafka) to_explain.push_back(partition.partition);
  }
  ProgressTicker ticker(options.progress);
  ProgressReader reader(config, options, &ticker);
  auto histories = ReadLakeHistories(store, lake, *snapshot, topic->id, to_explain, &ticker);
  for (int32_t p : to_explain) {
    PartitionReport& partition = report.partitions[p];
    const Status explained = histories.ok()
                                 ? reader.Explain(std::move(histories->at(p)), &partition)
                                 : histories.status();
    if (explained.IsCancelled()) return explained;
    if (!explained.ok()) partition.unknown = explained.message();
  }
  return report;
}

}  // namespace shopstream::observe
