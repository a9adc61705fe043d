#include "observe/progress.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "kafka/reader.h"
#include "lake/delta/existing_table.h"
#include "observe/coverage.h"
#include "observe/lake_offsets.h"
#include "observe/progress_ticker.h"
#include "observe/read_ranges.h"
#include "tables/progress.h"
#include "tables/table_topic.h"

namespace shopstream::observe {
namespace {

// The lake's rows of one partition.
struct LakeRows {
  OffsetSet offsets;
  ContentSample sample;
  int64_t quarantined_to = 0;  // One past the last offset in quarantine.
};

Status ScanRows(lake::ObjectStore* store, const std::string& path, const lake::Snapshot& snapshot,
                const tables::ProgressKey& key, bool is_quarantine, ProgressTicker* ticker,
                LakeRows* rows) {
  const auto on_row = [&](const tables::Coordinates& row) {
    if (row.partition != key.partition || row.topic_id != key.topic_id) return;
    rows->offsets.Insert(row.offset);
    if (is_quarantine) rows->quarantined_to = std::max(rows->quarantined_to, row.offset + 1);
    if (row.timestamp_us && rows->sample.Samples(row.offset)) {
      rows->sample.AddTimestamp(row.offset, *row.timestamp_us);
    }
  };
  const auto on_file = [&](const RowScan& so_far) {
    return ticker->Tick("rows read from " + path, so_far.rows);
  };
  return ScanCoordinates(store, path, snapshot, on_row, on_file).status();
}

class ProgressReader {
 public:
  ProgressReader(const KafkaConfig& config, const LakeConfig& lake, lake::ObjectStore* store,
                 const ProgressOptions& options)
      : config_(config), lake_(lake), store_(store), options_(options), ticker_(options.progress) {}

  // Compares the histories, and fills in what would be lost.
  Status Explain(const lake::Snapshot& bronze, const std::string& topic_id,
                 PartitionReport* report) {
    const auto quarantine = lake::Table::Open(store_, lake_.quarantine_table);
    if (!quarantine.ok() && !quarantine.status().IsKeyError()) return quarantine.status();
    const auto quarantined = quarantine.ok() ? (*quarantine)->snapshot() : nullptr;
    LakeRows rows;
    rows.sample =
        ContentSample::OfRows(CountRows(bronze) + (quarantined ? CountRows(*quarantined) : 0));
    const tables::ProgressKey key{topic_id, report->partition};
    ARROW_RETURN_NOT_OK(ScanRows(store_, lake_.bronze_table, bronze, key, false, &ticker_, &rows));
    if (quarantined) {
      ARROW_RETURN_NOT_OK(
          ScanRows(store_, lake_.quarantine_table, *quarantined, key, true, &ticker_, &rows));
    }
    const tables::PartitionState& state = report->state;
    if (state.position.last) rows.sample.AddLast(*state.position.last);
    const kafka::OffsetSpan& span = *report->kafka;
    const int64_t next = state.next.value_or(0);
    Parting parting(span.log_start, std::move(rows.sample), &rows.offsets);
    std::vector<OffsetRange> ranges;  // What is lost already tells nothing, and may be damaged.
    ForEachNotLost(state.lost, span.log_start, std::min(next, span.end),
                   [&](int64_t begin, int64_t end) {
                     ranges.push_back({report->partition, begin, end});
                   });
    ARROW_RETURN_NOT_OK(ReadKafka(ranges, &parting));
    parting.Finish(std::min(next, span.end));
    report->would_lose = LossOf(report->partition, state, span.end, parting, rows.quarantined_to);
    report->records_to_lose = parting.records();
    report->empty_in_loss = EmptyIn(*report->would_lose, state, rows.offsets);
    return Status::OK();
  }

 private:
  Status ReadKafka(const std::vector<OffsetRange>& ranges, Parting* parting) {
    if (ranges.empty()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto reader, kafka::Reader::Open(config_, ranges));
    ARROW_RETURN_NOT_OK(ReadRanges(reader.get(), options_.patience, &ticker_,
                                   [&](const kafka::RecordView& record) { parting->Add(record); }));
    return reader->failed().empty() ? Status::OK() : reader->failed().begin()->second;
  }

  const KafkaConfig& config_;
  const LakeConfig& lake_;
  lake::ObjectStore* store_;
  const ProgressOptions& options_;
  ProgressTicker ticker_;
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
  if (!topic) {
    return Status::KeyError("there is no topic ", config.topic, " at ", config.bootstrap_servers,
                            ": create it with `shopstream topics setup`");
  }
  ARROW_RETURN_NOT_OK(
      tables::CheckFilledFrom(*snapshot, lake.bronze_table, config.topic, topic->id));
  ProgressReport report{.topic = config.topic, .topic_id = topic->id, .partitions = {}};
  const auto spans =
      admin->OffsetSpans(config.topic, kafka::AllPartitions(topic->partitions.size()));
  ProgressReader reader(config, lake, store, options);
  for (size_t p = 0; p < topic->partitions.size(); ++p) {
    PartitionReport partition;
    partition.partition = static_cast<int32_t>(p);
    partition.state = tables::ReadPartitionState(snapshot->Txns(), topic->id, partition.partition);
    if (spans[p].ok()) {
      partition.kafka = *spans[p];
    } else {
      partition.unknown = spans[p].status().message();
    }
    if (partition.state.stopped() && partition.kafka) {
      const Status explained = reader.Explain(*snapshot, topic->id, &partition);
      if (explained.IsCancelled()) return explained;
      if (!explained.ok()) partition.unknown = explained.message();
    }
    report.partitions.push_back(std::move(partition));
  }
  return report;
}

}  // namespace shopstream::observe
