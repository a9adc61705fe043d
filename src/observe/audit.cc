#include "observe/audit.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/shutdown.h"
#include "kafka/reader.h"
#include "lake/delta/table.h"
#include "observe/lake_offsets.h"
#include "tables/names.h"
#include "tables/progress.h"
#include "tables/replayed_offsets.h"

namespace shopstream::observe {
namespace {

// Kafka's view of the current topic.
struct TopicBounds {
  std::string id;
  bool compacted = false;
  std::vector<kafka::OffsetSpan> spans;  // By partition.
};

struct Rows {
  std::map<tables::ProgressKey, PartitionCoverage> by_partition;
  int64_t without_coordinates = 0;

  // Most rows of a file share topic and partition, so remembering the last saves the look-up.
  PartitionCoverage* Find(std::string_view topic_id, int32_t partition) {
    if (last_ == nullptr || partition != last_key_.partition || topic_id != last_key_.topic_id) {
      last_key_ = {std::string(topic_id), partition};
      last_ = &by_partition[last_key_];
    }
    return last_;
  }

 private:
  tables::ProgressKey last_key_;
  PartitionCoverage* last_ = nullptr;
};

class ProgressTicker {
 public:
  explicit ProgressTicker(const std::function<void(const std::string&)>& say) : say_(say) {}

  // Cancelled when the program is asked to stop.
  Status Tick(std::string_view what, int64_t count) {
    if (ShutdownRequested()) return Status::Cancelled("the audit was interrupted");
    const BootClock::time_point now = BootClock::now();
    if (now < next_) return Status::OK();
    next_ = now + std::chrono::seconds(1);
    say_(std::string(what) + ": " + FormatCount(count));
    return Status::OK();
  }

 private:
  const std::function<void(const std::string&)>& say_;
  BootClock::time_point next_ = BootClock::now() + std::chrono::seconds(1);
};

Result<TopicBounds> FindTopic(const std::string& name, kafka::Admin* admin) {
  TopicBounds bounds;
  ARROW_ASSIGN_OR_RAISE(const auto topic, admin->DescribeTopic(name));
  if (!topic) return bounds;
  bounds.id = topic->id;
  const auto policy = topic->configs.find("cleanup.policy");
  bounds.compacted =
      policy != topic->configs.end() && policy->second.find("compact") != std::string::npos;
  const auto partitions = static_cast<int>(topic->partitions.size());
  ARROW_ASSIGN_OR_RAISE(bounds.spans, admin->OffsetSpans(name, partitions));
  return bounds;
}

Status ScanTable(lake::ObjectStore* store, const std::string& path, const lake::Snapshot& snapshot,
                 void (PartitionCoverage::*add)(int64_t), ProgressTicker* ticker, Rows* rows) {
  const std::string what = "rows read from " + path;
  const auto on_row = [&](const tables::Coordinates& row) {
    (rows->Find(row.topic_id, row.partition)->*add)(row.offset);
  };
  const auto on_file = [&](const RowScan& so_far) { return ticker->Tick(what, so_far.rows); };
  ARROW_ASSIGN_OR_RAISE(const RowScan scan,
                        ScanCoordinates(store, path, snapshot, on_row, on_file));
  rows->without_coordinates += scan.without_coordinates;
  return Status::OK();
}

// A cut's quarantine is committed before its Bronze commit, so a quarantine snapshot read after
// Bronze's contains everything that belongs to it.
Status ScanQuarantine(lake::ObjectStore* store, const std::string& path, ProgressTicker* ticker,
                      Rows* rows) {
  auto table = lake::Table::Open(store, path);
  if (table.status().IsKeyError()) return Status::OK();
  ARROW_RETURN_NOT_OK(table.status());
  return ScanTable(store, path, *(*table)->snapshot(), &PartitionCoverage::AddQuarantine, ticker,
                   rows);
}

Status AddReplayed(const lake::Snapshot& bronze, Rows* rows) {
  for (auto& [key, coverage] : rows->by_partition) {
    const auto property = bronze.properties().find(tables::ReplayedProperty(key.topic_id));
    if (property == bronze.properties().end()) continue;
    auto replayed = tables::ReplayedOffsets::Parse(property->second);
    if (!replayed.ok()) {
      return replayed.status().WithMessage("Bronze's property ", property->first,
                                           " is damaged: ", replayed.status().message());
    }
    replayed->ForEach(key.partition, [&](int64_t offset) { coverage.AddReplayed(offset); });
  }
  return Status::OK();
}

// The ranges where Kafka and the lake can be compared: [log start, txn), up to Kafka's end.
std::vector<OffsetRange> ComparedRanges(const TopicBounds& topic,
                                        const std::map<tables::ProgressKey, int64_t>& progress) {
  std::vector<OffsetRange> ranges;
  for (size_t p = 0; p < topic.spans.size(); ++p) {
    const auto partition = static_cast<int32_t>(p);
    const auto txn = progress.find({topic.id, partition});
    if (txn == progress.end()) continue;
    const int64_t end = std::min(txn->second, topic.spans[p].end);
    if (topic.spans[p].log_start < end)
      ranges.push_back({partition, topic.spans[p].log_start, end});
  }
  return ranges;
}

Result<int64_t> DrainKafka(const KafkaConfig& config, const TopicBounds& topic,
                           const std::vector<OffsetRange>& ranges, Millis patience,
                           ProgressTicker* ticker, Rows* rows) {
  if (ranges.empty()) return 0;
  ARROW_ASSIGN_OR_RAISE(const auto reader, kafka::Reader::Open(config, ranges));
  int64_t records = 0;
  BootClock::time_point deadline = BootClock::now() + patience;
  while (!reader->done()) {
    ARROW_ASSIGN_OR_RAISE(const kafka::RecordBatch batch, reader->Next(Millis{200}));
    const BootClock::time_point now = BootClock::now();
    if (!batch.records.empty()) deadline = now + patience;
    if (now > deadline) {
      return Unavailable("topic ", config.topic, ": no records for ",
                         FormatMillis(patience.count()), " after ", FormatCount(records),
                         "; see `shopstream health` for the brokers");
    }
    for (const kafka::RecordView& record : batch.records) {
      rows->Find(topic.id, record.partition)->AddKafka(record.offset);
    }
    records += static_cast<int64_t>(batch.records.size());
    ARROW_RETURN_NOT_OK(ticker->Tick("records read from Kafka", records));
  }
  return records;
}

// Retention may have deleted records during the audit: offsets below the log start read afterwards
// can no longer be compared. If the topic was deleted, nothing can.
Status MoveLogStarts(const std::string& name, kafka::Admin* admin, TopicBounds* topic) {
  if (topic->id.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const TopicBounds after, FindTopic(name, admin));
  if (after.id != topic->id) {
    return Unavailable("topic ", name,
                       " was deleted or created again during the audit; run it again");
  }
  for (size_t p = 0; p < topic->spans.size() && p < after.spans.size(); ++p) {
    topic->spans[p].log_start = std::max(topic->spans[p].log_start, after.spans[p].log_start);
  }
  return Status::OK();
}

int64_t* Counter(Difference difference, PartitionAudit* audit) {
  switch (difference) {
    case Difference::kMissing:
    case Difference::kExpired:
      return &audit->gaps;
    case Difference::kTwiceInBronze:
    case Difference::kTwiceInQuarantine:
    case Difference::kInBoth:
      return &audit->doubles;
    default:
      return &audit->others;
  }
}

void ComparePartition(const tables::ProgressKey& key, const CoverageBounds& bounds,
                      const PartitionCoverage& coverage, size_t max_findings, AuditReport* report) {
  PartitionAudit audit;
  audit.topic_id = key.topic_id;
  audit.partition = key.partition;
  audit.log_start = bounds.log_start;
  audit.end = bounds.end;
  audit.txn = bounds.txn;
  audit.bronze_rows = coverage.bronze_rows();
  audit.quarantined_rows = coverage.quarantine_rows();
  audit.replayed_rows = coverage.replayed_rows();
  if (bounds.end) {
    const int64_t next = std::max(bounds.txn.value_or(0), *bounds.log_start);
    audit.lag = std::max<int64_t>(0, *bounds.end - next);
  }
  coverage.Compare(key.partition, bounds, [&](const Finding& finding) {
    *Counter(finding.difference, &audit) += finding.range.end - finding.range.begin;
    if (report->findings.size() < max_findings) {
      report->findings.push_back({key.topic_id, finding});
    } else {
      ++report->findings_left_out;
    }
  });
  report->partitions.push_back(std::move(audit));
}

// Every partition that Kafka, a txn or a row names, those of the current topic first.
void CompareAll(const TopicBounds& topic, const std::map<tables::ProgressKey, int64_t>& progress,
                const AuditOptions& options, Rows* rows, AuditReport* report) {
  for (const auto& entry : progress) rows->by_partition[entry.first];
  for (size_t p = 0; p < topic.spans.size(); ++p) {
    rows->by_partition[{topic.id, static_cast<int32_t>(p)}];
  }
  for (const bool of_today : {true, false}) {
    for (const auto& [key, coverage] : rows->by_partition) {
      if ((key.topic_id == topic.id) != of_today) continue;
      CoverageBounds bounds;
      bounds.compacted = topic.compacted;
      if (const auto txn = progress.find(key); txn != progress.end()) bounds.txn = txn->second;
      if (of_today && static_cast<size_t>(key.partition) < topic.spans.size()) {
        const kafka::OffsetSpan& span = topic.spans[static_cast<size_t>(key.partition)];
        bounds.log_start = span.log_start;
        bounds.end = span.end;
      }
      ComparePartition(key, bounds, coverage, options.max_findings, report);
    }
  }
}

}  // namespace

Result<AuditReport> Audit(const KafkaConfig& config, const LakeConfig& lake, kafka::Admin* admin,
                          lake::ObjectStore* store, const AuditOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto bronze, lake::Table::Open(store, lake.bronze_table));
  const std::shared_ptr<const lake::Snapshot> snapshot = bronze->snapshot();
  const std::map<tables::ProgressKey, int64_t> progress = tables::ReadProgress(snapshot->Txns());
  // After the snapshot, so that Kafka's end is not below the txn just because it was read earlier.
  ARROW_ASSIGN_OR_RAISE(TopicBounds topic, FindTopic(config.topic, admin));

  AuditReport report;
  report.topic = config.topic;
  report.topic_id = topic.id;
  report.bronze_version = snapshot->version();
  ProgressTicker ticker(options.progress);
  Rows rows;
  ARROW_RETURN_NOT_OK(ScanTable(store, lake.bronze_table, *snapshot, &PartitionCoverage::AddBronze,
                                &ticker, &rows));
  ARROW_RETURN_NOT_OK(ScanQuarantine(store, lake.quarantine_table, &ticker, &rows));
  ARROW_RETURN_NOT_OK(AddReplayed(*snapshot, &rows));
  ARROW_ASSIGN_OR_RAISE(
      report.kafka_records,
      DrainKafka(config, topic, ComparedRanges(topic, progress), options.patience, &ticker, &rows));
  ARROW_RETURN_NOT_OK(MoveLogStarts(config.topic, admin, &topic));
  report.rows_without_coordinates = rows.without_coordinates;
  CompareAll(topic, progress, options, &rows, &report);
  return report;
}

}  // namespace shopstream::observe
