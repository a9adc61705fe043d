#include "ingest/start_positions.h"

#include <algorithm>
#include <functional>

#include "base/error_kind.h"
#include "base/json.h"
#include "base/log.h"
#include "tables/columns.h"
#include "tables/coordinates.h"
#include "tables/progress.h"

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

// Calls `found` with each offset of the topic's partition in the table at or above `begin`, until
// it returns false.
Status ScanOffsets(lake::Table* table, const lake::Snapshot& snapshot, const std::string& topic_id,
                   int32_t partition, int64_t begin, const std::function<bool(int64_t)>& found) {
  for (const DataFile& file : snapshot.Files()) {
    if (!MayHold(file, topic_id, partition, begin)) continue;
    bool more = true;
    ARROW_RETURN_NOT_OK(tables::VisitCoordinates(
        table->store(), table->path(), file, snapshot.schema(), [&](const auto& row) {
          if (row && row->topic_id == topic_id && row->partition == partition &&
              row->offset >= begin) {
            more = found(row->offset);
          }
          return more;
        }));
    if (!more) break;
  }
  return Status::OK();
}

}  // namespace

std::optional<OffsetRange> StartPosition::lost() const {
  // A partition that is new to the lake begins at the log start: nothing can have been lost.
  if (!fence || offset <= begin) return std::nullopt;
  return OffsetRange{.partition = partition, .begin = begin, .end = offset};
}

StartPosition DecideStart(int32_t partition, std::optional<int64_t> txn, kafka::OffsetSpan kafka,
                          bool has_rows) {
  StartPosition start;
  start.partition = partition;
  start.fence = txn;
  start.begin = txn.value_or(kafka.log_start);
  start.offset = std::max(start.begin, kafka.log_start);
  if (!txn && has_rows) start.verdict = StartPosition::Verdict::kRowsWithoutTxn;
  if (start.begin > kafka.end) start.verdict = StartPosition::Verdict::kBeyondEnd;
  return start;
}

Status Announce(const StartPosition& start, const std::string& topic, const std::string& topic_id) {
  switch (start.verdict) {
    case StartPosition::Verdict::kRead:
      break;
    case StartPosition::Verdict::kRowsWithoutTxn:
      return Status::Invalid(
          "Bronze has rows of topic ", topic, " (id ", topic_id, ") partition ", start.partition,
          " but no txn ", tables::ProgressAppId(topic_id, start.partition),
          ": their progress is unknown, and reading from the start would duplicate them. ",
          "Restore the table's log, or move the table away to read the topic again");
    case StartPosition::Verdict::kBeyondEnd:
      Log::Error(
          "Partition {} of {} is not read: the lake is at offset {}, beyond Kafka's "
          "end. Kafka lost records, or this is another cluster with the same topic id.",
          start.partition, topic, start.begin);
      break;
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
  const int count = static_cast<int>(before->partitions.size());
  if (*std::ranges::max_element(partitions) >= count) {
    return Status::KeyError("topic ", topic, " has ", count, " partitions now, fewer than ",
                            "the group assigned");
  }
  TopicSpans found{.id = before->id, .spans = {}};
  ARROW_ASSIGN_OR_RAISE(found.spans, topics->OffsetSpans(topic, count));
  ARROW_ASSIGN_OR_RAISE(const auto after, topics->DescribeTopic(topic, false));
  if (!after || after->id != found.id) {
    return Unavailable("topic ", topic, " was just deleted or created again");
  }
  return found;
}

Result<std::vector<StartPosition>> FindStartPositions(lake::Table* bronze, lake::Table* quarantine,
                                                      const std::string& topic_id,
                                                      const std::vector<int32_t>& partitions,
                                                      const std::vector<kafka::OffsetSpan>& spans) {
  // Bronze first: a cut quarantines before it commits to Bronze, so the newer quarantine snapshot
  // has every quarantined record at or above the progress in the older Bronze snapshot.
  ARROW_ASSIGN_OR_RAISE(auto bronze_snapshot, bronze->Refresh());
  ARROW_ASSIGN_OR_RAISE(auto quarantine_snapshot, quarantine->Refresh());
  std::vector<StartPosition> starts;
  for (int32_t partition : partitions) {
    const std::string app_id = tables::ProgressAppId(topic_id, partition);
    std::optional<int64_t> txn = bronze_snapshot->Txn(app_id);
    bool has_rows = false;
    if (!txn) {
      ARROW_RETURN_NOT_OK(ScanOffsets(bronze, *bronze_snapshot, topic_id, partition, 0,
                                      [&](int64_t) { return !(has_rows = true); }));
    }
    StartPosition start = DecideStart(partition, txn, spans.at(partition), has_rows);
    start.quarantine_fence = quarantine_snapshot->Txn(app_id);
    if (start.quarantine_fence.value_or(start.begin) > start.begin) {
      ARROW_RETURN_NOT_OK(ScanOffsets(quarantine, *quarantine_snapshot, topic_id, partition,
                                      start.begin, [&](int64_t offset) {
                                        start.quarantined.insert(offset);
                                        return true;
                                      }));
    }
    starts.push_back(std::move(start));
  }
  return starts;
}

}  // namespace shopstream::ingest
