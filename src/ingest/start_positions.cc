#include "ingest/start_positions.h"

#include <algorithm>

#include "base/error_kind.h"
#include "base/json.h"
#include "base/log.h"
#include "kafka/record_hash.h"
#include "tables/adoption.h"
#include "tables/columns.h"
#include "tables/coordinates.h"
#include "tables/progress.h"
#include "tables/quarantined_row.h"

namespace shopstream::ingest {
namespace {

// False only if the file's statistics prove that it has no row of the topic's partition at or after
// `begin`.
bool MayHold(const DataFile& file, const std::string& topic_id, int32_t partition, int64_t begin) {
  nlohmann::json statistics = ParseJson(file.statistics);
  if (!statistics.is_object()) return true;
  const nlohmann::json low = statistics.value("minValues", nlohmann::json::object());
  const nlohmann::json high = statistics.value("maxValues", nlohmann::json::object());
  const auto outside = [&](const char* column, const auto& value) {
    if (!low.contains(column) || !high.contains(column)) return false;
    return low[column] > nlohmann::json(value) || high[column] < nlohmann::json(value);
  };
  if (outside(tables::kTopicId, topic_id) || outside(tables::kPartition, partition)) return false;
  return !high.contains(tables::kOffset) || high[tables::kOffset] >= begin;
}

// Whether the table has a row of the topic's partition.
Result<bool> HasRows(lake::Table* table, const lake::Snapshot& snapshot,
                     const std::string& topic_id, int32_t partition) {
  bool found = false;
  for (const DataFile& file : snapshot.Files()) {
    if (!MayHold(file, topic_id, partition, 0)) continue;
    ARROW_RETURN_NOT_OK(tables::VisitCoordinates(
        table->store(), table->path(), file, snapshot.schema(), [&](const auto& row) {
          found = row && row->topic_id == topic_id && row->partition == partition;
          return !found;
        }));
    if (found) break;
  }
  return found;
}

// The records of the topic's partition in quarantine, at or above `begin`.
Result<std::map<int64_t, int64_t>> ReadQuarantined(lake::Table* table,
                                                   const lake::Snapshot& snapshot,
                                                   const std::string& topic_id, int32_t partition,
                                                   int64_t begin) {
  std::map<int64_t, int64_t> quarantined;
  const auto take = [&](const tables::QuarantinedRows& rows) -> Status {
    for (int64_t row = 0; row < rows.size(); ++row) {
      const auto at = rows.coordinates().At(row);
      if (!at || at->topic_id != topic_id || at->partition != partition || at->offset < begin) {
        continue;
      }
      const tables::QuarantinedRow stored = rows.Read(row);
      const auto sent_ms = stored.sent_ms();
      quarantined[at->offset] = sent_ms ? kafka::ContentHash(*sent_ms, stored.key, stored.value)
                                        : StartPosition::kAnyRecord;
    }
    return Status::OK();
  };
  for (const DataFile& file : snapshot.Files()) {
    if (!MayHold(file, topic_id, partition, begin)) continue;
    ARROW_RETURN_NOT_OK(
        tables::VisitQuarantined(table->store(), table->path(), file, snapshot.schema(), take));
  }
  return quarantined;
}

// Records of an adopted mirror that the lake has from the earlier topic are kept out as well.
void AddCopies(const tables::Txns& txns, const std::string& topic_id, StartPosition* start) {
  const auto adoption = tables::ReadAdoption(txns, topic_id, start->partition);
  if (!adoption) return;
  const auto& copies = adoption->copies;
  start->quarantined.insert(copies.lower_bound(start->begin), copies.end());
}

using SideSnapshots = std::vector<std::pair<lake::Table*, std::shared_ptr<const lake::Snapshot>>>;

Result<SideSnapshots> RefreshSides(SideTables* sides, const lake::Snapshot& bronze) {
  SideSnapshots snapshots;
  if (sides == nullptr) return snapshots;
  ARROW_RETURN_NOT_OK(sides->OpenAnnounced(bronze));
  for (lake::Table* table : sides->Open()) {
    ARROW_ASSIGN_OR_RAISE(auto snapshot, table->Refresh());
    snapshots.emplace_back(table, std::move(snapshot));
  }
  return snapshots;
}

// The fence of the side table, and its rows of the partition at or above the start.
Status AddSide(lake::Table* table, const lake::Snapshot& snapshot, const std::string& topic_id,
               StartPosition* start) {
  const auto fence = snapshot.Txn(tables::ProgressAppId(topic_id, start->partition));
  if (!fence) return Status::OK();
  start->side_fences[table->path()] = *fence;
  if (*fence <= start->begin) return Status::OK();
  const auto take = [&](const std::optional<tables::Coordinates>& row) {
    const bool ours = row && row->topic_id == topic_id && row->partition == start->partition;
    if (!ours || row->offset < start->begin) return true;
    std::optional<int64_t>& sent_ms = start->in_sides[row->offset];
    if (row->timestamp_us) sent_ms = *row->timestamp_us / 1000;
    return true;
  };
  for (const DataFile& file : snapshot.Files()) {
    if (!MayHold(file, topic_id, start->partition, start->begin)) continue;
    ARROW_RETURN_NOT_OK(
        tables::VisitCoordinates(table->store(), table->path(), file, snapshot.schema(), take));
  }
  return Status::OK();
}

bool RemovesRecords(kafka::TopicMetadata* topics, const std::string& topic) {
  const auto described = topics->DescribeTopic(topic, /*with_configs=*/true);
  if (!described.ok() || !*described) return true;
  const auto policy = (*described)->configs.find("cleanup.policy");
  return policy == (*described)->configs.end() ||
         policy->second.find("compact") != std::string::npos;
}

}  // namespace

std::optional<OffsetRange> StartPosition::lost() const {
  // A partition that is new to the lake begins at the log start: nothing can have been lost.
  if (!fence || offset <= begin) return std::nullopt;
  return OffsetRange{.partition = partition, .begin = begin, .end = offset};
}

void LogStopped(int32_t partition, const std::string& topic, const tables::Stop& stop) {
  Log::Error("Partition {} of {} is not read: {}. `shopstream progress show` explains.", partition,
             topic, tables::Meaning(stop.reason));
}

StartPosition DecideStart(int32_t partition, const tables::PartitionState& state,
                          kafka::OffsetSpan kafka, bool has_rows) {
  StartPosition start;
  start.partition = partition;
  start.fence = state.next;
  start.begin = state.next.value_or(kafka.log_start);
  start.offset = std::max(start.begin, kafka.log_start);
  start.kafka = kafka;
  start.position = state.position;
  start.stop = state.stop;
  start.accepted = state.accepted;
  start.complete_through_ms = state.complete_through_ms;
  if (!start.position.empty) {
    start.position.empty = tables::EmptyOffsets{.from = start.begin, .to = start.begin};
  }
  if (!state.next && has_rows) {
    start.verdict = StartPosition::Verdict::kRowsWithoutTxn;
  } else if (state.stopped()) {
    start.verdict = StartPosition::Verdict::kStopped;
    start.offset = start.begin;  // What expires meanwhile is lost only once reading continues.
  } else if (start.begin > kafka.end && state.accepted == start.begin) {
    // The operator knows that Kafka's log is shorter. New records below `begin` are lost.
    start.offset = kafka.end;
  } else if (start.begin > kafka.end) {
    start.verdict = StartPosition::Verdict::kBeyondEnd;
    start.stop = {.reason = tables::StopReason::kBeyondEnd, .kafka_offset = kafka.end};
  }
  return start;
}

Status Announce(const StartPosition& start, const std::string& topic, const std::string& topic_id) {
  switch (start.verdict) {
    case StartPosition::Verdict::kRead:
      break;
    case StartPosition::Verdict::kUnknownYet:  // Its reason is logged where it waits.
      return Status::OK();
    case StartPosition::Verdict::kRowsWithoutTxn:
      return Status::Invalid(
          "Bronze has rows of topic ", topic, " (id ", topic_id, ") partition ", start.partition,
          " but no txn ", tables::ProgressAppId(topic_id, start.partition),
          ": their progress is unknown, and reading from the start would duplicate them. ",
          "Restore the table's log, or move the table away to read the topic again");
    case StartPosition::Verdict::kBeyondEnd:
    case StartPosition::Verdict::kStopped:
      LogStopped(start.partition, topic, start.stop);
      return Status::OK();
  }
  if (const std::optional<OffsetRange> lost = start.lost()) {
    Log::Error(
        "Partition {} of {}: offsets {} to {} expired in Kafka before they were read. "
        "Reading continues at {}; the audit lists the gap.",
        start.partition, topic, lost->begin, lost->end - 1, lost->end);
  }
  return Status::OK();
}

Result<TopicSpans> ReadTopicSpans(kafka::TopicMetadata* topics, const std::string& topic,
                                  const std::vector<int32_t>& partitions) {
  ARROW_ASSIGN_OR_RAISE(const auto before, topics->DescribeTopic(topic, false));
  if (!before) return Status::KeyError("topic ", topic, " does not exist, or no longer does");
  TopicSpans found{.id = before->id, .spans = {}};
  const int count = static_cast<int>(before->partitions.size());
  std::vector<int32_t> asked;
  for (int32_t partition : partitions) {
    if (partition < count) {
      asked.push_back(partition);
      continue;
    }
    // The group notices later than we do that the topic was created again.
    found.spans.emplace(partition, Status::KeyError("the topic has only ", count, " partitions"));
  }
  if (!asked.empty()) {
    auto spans = topics->OffsetSpans(topic, asked);
    for (size_t i = 0; i < asked.size(); ++i) found.spans.emplace(asked[i], std::move(spans[i]));
  }
  ARROW_ASSIGN_OR_RAISE(const auto after, topics->DescribeTopic(topic, false));
  if (!after || after->id != found.id) {
    return Unavailable("topic ", topic, " was just deleted or created again");
  }
  return found;
}

Result<std::vector<StartPosition>> FindStartPositions(lake::Table* bronze, lake::Table* quarantine,
                                                      SideTables* sides, const TopicSpans& topic) {
  // Bronze first: a cut commits to the other tables before it commits to Bronze, so their newer
  // snapshots have every record at or above the progress in the older Bronze snapshot.
  ARROW_ASSIGN_OR_RAISE(auto bronze_snapshot, bronze->Refresh());
  ARROW_ASSIGN_OR_RAISE(auto quarantine_snapshot, quarantine->Refresh());
  ARROW_ASSIGN_OR_RAISE(const auto side_snapshots, RefreshSides(sides, *bronze_snapshot));
  std::vector<StartPosition> starts;
  for (const auto& [partition, span] : topic.spans) {
    if (!span.ok()) {
      StartPosition& unknown = starts.emplace_back();
      unknown.verdict = StartPosition::Verdict::kUnknownYet;
      unknown.partition = partition;
      unknown.why = span.status().message();
      continue;
    }
    const tables::PartitionState state =
        tables::ReadPartitionState(bronze_snapshot->Txns(), topic.id, partition);
    bool has_rows = false;
    if (!state.next) {
      ARROW_ASSIGN_OR_RAISE(has_rows, HasRows(bronze, *bronze_snapshot, topic.id, partition));
    }
    StartPosition start = DecideStart(partition, state, *span, has_rows);
    start.quarantine_fence = quarantine_snapshot->Txn(tables::ProgressAppId(topic.id, partition));
    if (start.quarantine_fence.value_or(start.begin) > start.begin) {
      ARROW_ASSIGN_OR_RAISE(start.quarantined, ReadQuarantined(quarantine, *quarantine_snapshot,
                                                               topic.id, partition, start.begin));
    }
    AddCopies(bronze_snapshot->Txns(), topic.id, &start);
    for (const auto& [table, snapshot] : side_snapshots) {
      ARROW_RETURN_NOT_OK(AddSide(table, *snapshot, topic.id, &start));
    }
    // An operator knows that Kafka has other records than the lake. What the tables have at their
    // offsets keeps them out, because it has their coordinates.
    if (start.accepted && start.accepted == start.fence) {
      for (auto& [offset, hash] : start.quarantined) hash = StartPosition::kAnyRecord;
      for (auto& [offset, sent_ms] : start.in_sides) sent_ms.reset();
    }
    starts.push_back(std::move(start));
  }
  return starts;
}

// Another consumer may commit past the ends after they were read: only a progress that was beyond
// them before the question proves that the log is shorter.
void StartFinder::LeaveOutNewProgress(const lake::Snapshot& before,
                                      std::vector<StartPosition>* starts) const {
  for (StartPosition& start : *starts) {
    if (start.verdict != StartPosition::Verdict::kBeyondEnd) continue;
    const auto known = before.Txn(tables::ProgressAppId(topic_id_, start.partition));
    if (known && *known > start.kafka.end) continue;
    const int32_t partition = start.partition;
    start = {};
    start.verdict = StartPosition::Verdict::kUnknownYet;
    start.partition = partition;
    start.why = "another consumer has just advanced the lake beyond the end that Kafka reported";
  }
}

Result<std::vector<StartPosition>> StartFinder::Find(const std::vector<int32_t>& partitions) {
  ARROW_ASSIGN_OR_RAISE(const auto before, bronze_->Refresh());
  ARROW_ASSIGN_OR_RAISE(const TopicSpans topic, ReadSpans(partitions));
  if (topic_id_ != topic.id && !topic_id_.empty()) {
    Log::Warn("Topic {} was recreated: its id is {}, it was {}. Reading starts from its beginning.",
              topic_, topic.id, topic_id_);
  }
  topic_id_ = topic.id;
  ARROW_ASSIGN_OR_RAISE(auto starts, FindStartPositions(bronze_, quarantine_, sides_, topic));
  LeaveOutNewProgress(*before, &starts);
  const bool removes_records = RemovesRecords(topics_, topic_);
  for (StartPosition& start : starts) start.removes_records = removes_records;
  return starts;
}

}  // namespace shopstream::ingest
