#include "observe/audit.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "base/error_kind.h"
#include "kafka/reader.h"
#include "kafka/record_hash.h"
#include "lake/delta/existing_table.h"
#include "observe/adopted_cover.h"
#include "observe/content_sample.h"
#include "observe/lake_offsets.h"
#include "observe/progress_ticker.h"
#include "observe/read_ranges.h"
#include "tables/erased_offsets.h"
#include "tables/names.h"
#include "tables/partition_state.h"
#include "tables/progress.h"
#include "tables/quarantined_row.h"
#include "tables/replayed_offsets.h"
#include "tables/table_topic.h"

namespace shopstream::observe {
namespace {

// Kafka's view of the current topic.
struct TopicBounds {
  std::string id;
  bool compacted = false;
  std::vector<Result<kafka::OffsetSpan>> spans;  // By partition.

  // Null: Kafka does not answer for the partition, or does not have it.
  const kafka::OffsetSpan* Find(int32_t partition) const {
    const auto at = static_cast<size_t>(partition);
    return at < spans.size() && spans[at].ok() ? &*spans[at] : nullptr;
  }
};

constexpr int64_t kNotSampled = std::numeric_limits<int64_t>::max();

struct PartitionRows {
  PartitionCoverage coverage{};
  ContentSample sample;
  int64_t sampled_from = 0;  // Kafka has no records below.
};

struct Rows {
  std::map<tables::ProgressKey, PartitionRows> by_partition;
  int64_t without_coordinates = 0;
  std::optional<AdoptedCover> cover;  // Set once the topic is known.

  // Most rows of a file share topic and partition, so remembering the last saves the look-up.
  PartitionRows* Find(std::string_view topic_id, int32_t partition) {
    if (last_ == nullptr || partition != last_key_.partition || topic_id != last_key_.topic_id) {
      last_key_ = {std::string(topic_id), partition};
      last_ = &by_partition[last_key_];
    }
    return last_;
  }

 private:
  tables::ProgressKey last_key_;
  PartitionRows* last_ = nullptr;
};

Result<TopicBounds> FindTopic(const std::string& name, kafka::Admin* admin) {
  TopicBounds bounds;
  ARROW_ASSIGN_OR_RAISE(const auto topic, admin->DescribeTopic(name));
  if (!topic) return bounds;
  bounds.id = topic->id;
  const auto policy = topic->configs.find("cleanup.policy");
  bounds.compacted =
      policy != topic->configs.end() && policy->second.find("compact") != std::string::npos;
  const auto partitions = kafka::AllPartitions(topic->partitions.size());
  bounds.spans = admin->OffsetSpans(name, partitions);
  return bounds;
}

// Every partition of the current topic, ready to sample the rows whose records Kafka still has.
// `quarantine` may be null: there is none.
void PrepareSamples(const TopicBounds& topic, const lake::Snapshot& bronze,
                    const std::vector<SideTable>& sides, const lake::Snapshot* quarantine,
                    Rows* rows) {
  int64_t stored = CountRows(bronze) + (quarantine == nullptr ? 0 : CountRows(*quarantine));
  for (const SideTable& side : sides) stored += CountRows(*side.snapshot);
  rows->cover.emplace(bronze.Txns(), topic.id, static_cast<int32_t>(topic.spans.size()), stored);
  for (size_t p = 0; p < topic.spans.size(); ++p) {
    const auto partition = static_cast<int32_t>(p);
    const kafka::OffsetSpan* const span = topic.Find(partition);
    const auto [entry, added] = rows->by_partition.emplace(
        tables::ProgressKey{topic.id, partition},
        PartitionRows{.sample = ContentSample::OfRows(stored),
                      .sampled_from = span == nullptr ? kNotSampled : span->log_start});
    const auto state = tables::ReadPartitionState(bronze.Txns(), topic.id, partition);
    if (state.position.last) entry->second.sample.AddLast(*state.position.last);
  }
}

bool IsSampled(const std::string& topic_id, const PartitionRows& rows,
               const tables::Coordinates& row) {
  return row.topic_id == topic_id && row.offset >= rows.sampled_from &&
         rows.sample.Samples(row.offset);
}

using Progress = std::map<tables::ProgressKey, int64_t>;

// Bronze, or a side table. A side table is committed before Bronze, so that its rows at or above
// Bronze's `progress` are no difference: the cut will follow. Null: all rows count.
Status ScanRows(lake::ObjectStore* store, const std::string& path, const lake::Snapshot& snapshot,
                const std::string& topic_id, const Progress* progress, ProgressTicker* ticker,
                Rows* rows) {
  const std::string what = "rows read from " + path;
  const int64_t total = CountRows(snapshot);
  const PartitionRows* last = nullptr;
  int64_t end = std::numeric_limits<int64_t>::max();
  const auto on_row = [&](const tables::Coordinates& row) {
    rows->cover->AddRow(row.topic_id, row.partition, row.timestamp_us);
    PartitionRows* partition = rows->Find(row.topic_id, row.partition);
    if (progress != nullptr && partition != last) {
      last = partition;
      const auto txn = progress->find({std::string(row.topic_id), row.partition});
      end = txn == progress->end() ? 0 : txn->second;
    }
    if (row.offset >= end) return;
    partition->coverage.AddBronze(row.offset);
    if (row.timestamp_us && IsSampled(topic_id, *partition, row)) {
      partition->sample.AddTimestamp(row.offset, *row.timestamp_us);
    }
  };
  const auto on_file = [&](const RowScan& so_far) {
    return ticker->Tick(what, so_far.rows, total);
  };
  ARROW_ASSIGN_OR_RAISE(const RowScan scan,
                        ScanCoordinates(store, path, snapshot, on_row, on_file));
  rows->without_coordinates += scan.without_coordinates;
  return Status::OK();
}

Status ScanQuarantine(lake::ObjectStore* store, const std::string& path,
                      const lake::Snapshot& snapshot, const std::string& topic_id,
                      ProgressTicker* ticker, Rows* rows) {
  int64_t scanned = 0;
  const int64_t total = CountRows(snapshot);
  const auto on_rows = [&](const tables::QuarantinedRows& batch) -> Status {
    for (int64_t i = 0; i < batch.size(); ++i) {
      const auto row = batch.coordinates().At(i);
      if (!row) {
        ++rows->without_coordinates;
        continue;
      }
      rows->cover->AddRow(row->topic_id, row->partition, row->timestamp_us);
      PartitionRows* partition = rows->Find(row->topic_id, row->partition);
      partition->coverage.AddQuarantine(row->offset);
      if (IsSampled(topic_id, *partition, *row)) {
        const tables::QuarantinedRow stored = batch.Read(i);
        if (const auto sent_ms = stored.sent_ms()) {
          partition->sample.AddHash(row->offset,
                                    kafka::ContentHash(*sent_ms, stored.key, stored.value));
        }
      }
    }
    scanned += batch.size();
    return ticker->Tick("rows read from " + path, scanned, total);
  };
  for (const DataFile& file : snapshot.Files()) {
    ARROW_RETURN_NOT_OK(tables::VisitQuarantined(store, path, file, snapshot.schema(), on_rows));
  }
  return Status::OK();
}

Status AddReplayed(const lake::Snapshot& snapshot, const std::string& path, Rows* rows) {
  for (auto& [key, partition] : rows->by_partition) {
    const std::string name = tables::ReplayedProperty(key.topic_id);
    const std::string* property = lake::FindProperty(snapshot, name);
    if (property == nullptr) continue;
    auto replayed = tables::ReplayedOffsets::Parse(*property);
    if (!replayed.ok()) {
      return replayed.status().WithMessage("property ", name, " of table ", path,
                                           " is damaged: ", replayed.status().message());
    }
    PartitionCoverage& coverage = partition.coverage;
    replayed->ForEach(key.partition, [&](int64_t offset) { coverage.AddReplayed(offset); });
  }
  return Status::OK();
}

using AddErased = void (PartitionCoverage::*)(int64_t offset);

// `progress` as in ScanRows.
Status AddRemoved(const lake::Snapshot& snapshot, const std::string& path, const Progress* progress,
                  AddErased add, Rows* rows) {
  const auto removed = tables::ReadRemoved(snapshot);
  if (!removed.ok()) {
    return removed.status().WithMessage(path, ": ", removed.status().message());
  }
  for (const auto& [topic_id, offsets] : *removed) {
    offsets.ForEachRun([&, topic = topic_id](int32_t partition, int64_t begin, int64_t end) {
      if (progress != nullptr) {
        const auto txn = progress->find({topic, partition});
        end = std::min(end, txn == progress->end() ? 0 : txn->second);
      }
      rows->cover->AddErased(topic, partition, std::max<int64_t>(0, end - begin));
      PartitionCoverage& coverage = rows->Find(topic, partition)->coverage;
      for (int64_t offset = begin; offset < end; ++offset) (coverage.*add)(offset);
    });
  }
  return Status::OK();
}

// What was removed from all of the tables; null: there is no quarantine.
Status AddRemovedFromAll(const LakeConfig& lake, const lake::Snapshot& bronze,
                         const std::vector<SideTable>& sides, const lake::Snapshot* quarantine,
                         const Progress& progress, Rows* rows) {
  constexpr AddErased kFromBronze = &PartitionCoverage::AddErasedFromBronze;
  ARROW_RETURN_NOT_OK(AddRemoved(bronze, lake.bronze_table, nullptr, kFromBronze, rows));
  for (const SideTable& side : sides) {
    ARROW_RETURN_NOT_OK(AddRemoved(*side.snapshot, side.path, &progress, kFromBronze, rows));
  }
  if (quarantine == nullptr) return Status::OK();
  return AddRemoved(*quarantine, lake.quarantine_table, nullptr,
                    &PartitionCoverage::AddErasedFromQuarantine, rows);
}

// The ranges where Kafka and the lake can be compared: [log start, txn), up to Kafka's end. What is
// lost is not read: a batch there may be damaged.
std::vector<OffsetRange> ComparedRanges(const TopicBounds& topic, const tables::Txns& txns) {
  std::vector<OffsetRange> ranges;
  for (size_t p = 0; p < topic.spans.size(); ++p) {
    const auto partition = static_cast<int32_t>(p);
    const tables::PartitionState state = tables::ReadPartitionState(txns, topic.id, partition);
    const kafka::OffsetSpan* const span = topic.Find(partition);
    if (!state.next || span == nullptr) continue;
    ForEachNotLost(state.lost, span->log_start, std::min(*state.next, span->end),
                   [&](int64_t begin, int64_t end) {
                     ranges.push_back({partition, begin, end});
                   });
  }
  return ranges;
}

// Counts what was read and compared in the report. A partition that cannot be read to its end gets
// the reason as its span.
Status DrainKafka(const KafkaConfig& config, const std::vector<OffsetRange>& ranges,
                  Millis patience, ProgressTicker* ticker, TopicBounds* topic, Rows* rows,
                  AuditReport* report) {
  if (ranges.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto reader, kafka::Reader::Open(config, ranges));
  const auto on_record = [&](const kafka::RecordView& record) {
    ++report->kafka_records;
    if (rows->cover->Takes(record.partition, record.offset, record.timestamp_ms)) return;
    PartitionRows* partition = rows->Find(topic->id, record.partition);
    partition->coverage.AddKafka(record.offset);
    const ContentSample::Verdict verdict = partition->sample.Compare(record);
    if (verdict == ContentSample::Verdict::kUnknown) return;
    ++report->contents_compared;
    if (verdict == ContentSample::Verdict::kOther) {
      partition->coverage.AddOtherContent(record.offset);
    }
  };
  ARROW_RETURN_NOT_OK(ReadRanges(reader.get(), ranges, patience, ticker, on_record));
  for (const auto& [partition, why] : reader->failed()) {
    topic->spans[static_cast<size_t>(partition)] = why;
  }
  return Status::OK();
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
  for (size_t p = 0; p < topic->spans.size(); ++p) {
    const kafka::OffsetSpan* const now = after.Find(static_cast<int32_t>(p));
    if (now == nullptr || !topic->spans[p].ok()) continue;
    topic->spans[p]->log_start = std::max(topic->spans[p]->log_start, now->log_start);
  }
  return Status::OK();
}

int64_t* Counter(Difference difference, PartitionAudit* audit) {
  switch (difference) {
    case Difference::kMissing:
    case Difference::kExpired:
    case Difference::kVanished:
    case Difference::kNotCovered:
      return &audit->gaps;
    case Difference::kTwiceInBronze:
    case Difference::kTwiceInQuarantine:
    case Difference::kInBoth:
      return &audit->doubles;
    default:
      return &audit->others;
  }
}

// Missing records above the number that is listed are counted.
template <typename OnFinding>
void CompareCovered(const AdoptedCover& cover, int32_t partition, const OnFinding& found,
                    PartitionAudit* audit) {
  const tables::Adoption* const adoption = cover.Find(partition);
  if (adoption == nullptr) return;
  audit->adoption = *adoption;
  audit->covered = cover.Count(partition);
  int64_t listed = 0;
  cover.ForEachUncovered(partition, [&](const OffsetRange& range) {
    listed += range.end - range.begin;
    found(Finding{Difference::kNotCovered, range});
  });
  if (listed > 0) audit->gaps += audit->covered.missing - listed;
}

// `cover`: null for an earlier incarnation of the topic.
void ComparePartition(const tables::ProgressKey& key, const CoverageBounds& bounds,
                      const PartitionCoverage& coverage, const AdoptedCover* cover,
                      size_t max_findings, AuditReport* report) {
  PartitionAudit audit;
  audit.topic_id = key.topic_id;
  audit.partition = key.partition;
  audit.log_start = bounds.log_start;
  audit.end = bounds.end;
  audit.txn = bounds.txn;
  audit.bronze_rows = coverage.bronze_rows();
  audit.quarantined_rows = coverage.quarantine_rows();
  audit.replayed_rows = coverage.replayed_rows();
  audit.erased_rows = coverage.erased_rows();
  if (bounds.end) {
    const int64_t next = std::max(bounds.txn.value_or(0), *bounds.log_start);
    audit.lag = std::max<int64_t>(0, *bounds.end - next);
  }
  const auto found = [&](const Finding& finding) {
    *Counter(finding.difference, &audit) += finding.range.end - finding.range.begin;
    if (report->findings.size() < max_findings) {
      report->findings.push_back({key.topic_id, finding});
    } else {
      ++report->findings_left_out;
    }
  };
  coverage.Compare(key.partition, bounds, found);
  if (cover != nullptr) {
    CompareCovered(*cover, key.partition, found, &audit);
  }
  report->partitions.push_back(std::move(audit));
}

// Copies above the seam count as there once ingest has passed them.
void AddAdopted(const AdoptedCover& cover, int32_t partition, CoverageBounds* bounds,
                PartitionCoverage* coverage) {
  const tables::Adoption* const adoption = cover.Find(partition);
  if (adoption == nullptr) return;
  bounds->covered_below = adoption->below;
  for (const auto& [offset, hash] : adoption->copies) {
    if (offset < bounds->txn.value_or(0)) coverage->AddCovered(offset);
  }
}

// Every partition that Kafka, a txn or a row names, those of the current topic first.
void CompareAll(const TopicBounds& topic, const std::map<tables::ProgressKey, int64_t>& progress,
                const tables::Txns& txns, const AuditOptions& options, Rows* rows,
                AuditReport* report) {
  for (const auto& entry : progress) rows->by_partition.try_emplace(entry.first);
  for (const bool of_today : {true, false}) {
    for (auto& [key, partition] : rows->by_partition) {
      if ((key.topic_id == topic.id) != of_today) continue;
      CoverageBounds bounds;
      bounds.compacted = topic.compacted;
      tables::PartitionState state = tables::ReadPartitionState(txns, key.topic_id, key.partition);
      bounds.txn = state.next;
      bounds.empty = state.position.empty;
      bounds.lost = std::move(state.lost);
      const AdoptedCover* const cover = of_today ? &*rows->cover : nullptr;
      if (of_today) AddAdopted(*cover, key.partition, &bounds, &partition.coverage);
      const kafka::OffsetSpan* const span = of_today ? topic.Find(key.partition) : nullptr;
      if (span != nullptr) {
        bounds.log_start = span->log_start;
        bounds.end = span->end;
      }
      ComparePartition(key, bounds, partition.coverage, cover, options.max_findings, report);
    }
  }
}

}  // namespace

Result<AuditReport> Audit(const KafkaConfig& config, const LakeConfig& lake, kafka::Admin* admin,
                          lake::ObjectStore* store, const AuditOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto bronze, lake::OpenExisting(store, lake.bronze_table));
  const std::shared_ptr<const lake::Snapshot> snapshot = bronze->snapshot();
  const std::map<tables::ProgressKey, int64_t> progress = tables::ReadProgress(snapshot->Txns());
  // After the snapshot, so that Kafka's end is not below the txn just because it was read earlier.
  ARROW_ASSIGN_OR_RAISE(TopicBounds topic, FindTopic(config.topic, admin));
  ARROW_RETURN_NOT_OK(
      tables::CheckFilledFrom(*snapshot, lake.bronze_table, config.topic, topic.id));

  AuditReport report;
  report.topic = config.topic;
  report.topic_id = topic.id;
  report.bronze_version = snapshot->version();
  ProgressTicker ticker(options.progress);
  Rows rows;
  ARROW_ASSIGN_OR_RAISE(const auto quarantine, OpenQuarantine(store, lake.quarantine_table));
  ARROW_ASSIGN_OR_RAISE(const auto sides, OpenSideTables(store, *snapshot));
  PrepareSamples(topic, *snapshot, sides, quarantine.get(), &rows);
  ARROW_RETURN_NOT_OK(
      ScanRows(store, lake.bronze_table, *snapshot, topic.id, nullptr, &ticker, &rows));
  for (const SideTable& side : sides) {
    ARROW_RETURN_NOT_OK(
        ScanRows(store, side.path, *side.snapshot, topic.id, &progress, &ticker, &rows));
  }
  if (quarantine != nullptr) {
    ARROW_RETURN_NOT_OK(
        ScanQuarantine(store, lake.quarantine_table, *quarantine, topic.id, &ticker, &rows));
  }
  ARROW_RETURN_NOT_OK(AddReplayed(*snapshot, lake.bronze_table, &rows));
  for (const SideTable& side : sides) {
    ARROW_RETURN_NOT_OK(AddReplayed(*side.snapshot, side.path, &rows));
  }
  ARROW_RETURN_NOT_OK(AddRemovedFromAll(lake, *snapshot, sides, quarantine.get(), progress, &rows));
  ARROW_RETURN_NOT_OK(DrainKafka(config, ComparedRanges(topic, snapshot->Txns()), options.patience,
                                 &ticker, &topic, &rows, &report));
  ARROW_RETURN_NOT_OK(MoveLogStarts(config.topic, admin, &topic));
  report.rows_without_coordinates = rows.without_coordinates;
  for (size_t p = 0; p < topic.spans.size(); ++p) {
    if (topic.spans[p].ok()) continue;
    report.not_compared[static_cast<int32_t>(p)] = topic.spans[p].status().message();
  }
  CompareAll(topic, progress, snapshot->Txns(), options, &rows, &report);
  return report;
}

}  // namespace shopstream::observe
