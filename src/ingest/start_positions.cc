#include "ingest/start_positions.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/table.h>

#include <algorithm>
#include <functional>

#include "base/json.h"
#include "lake/parquet_file.h"
#include "model/lake_names.h"

namespace shopstream::ingest {
namespace {

// False only where the file's statistics prove that it has no row of the topic's partition from
// `begin` on.
bool MayHold(const DataFile& file, const std::string& topic_id, int32_t partition, int64_t begin) {
  nlohmann::json statistics = ParseJson(file.statistics);
  if (!statistics.is_object()) return true;
  const nlohmann::json low = statistics.value("minValues", nlohmann::json::object());
  const nlohmann::json high = statistics.value("maxValues", nlohmann::json::object());
  const auto outside = [&](const char* column, const auto& value) {
    if (!low.contains(column) || !high.contains(column)) return false;
    return low[column] > nlohmann::json(value) || high[column] < nlohmann::json(value);
  };
  if (outside("kafka_topic_id", topic_id) || outside("kafka_partition", partition)) return false;
  return !high.contains("kafka_offset") || high["kafka_offset"] >= begin;
}

// Calls `found` with each offset at or above `begin` that the table holds of the topic's partition;
// it answers whether to go on.
Status ScanOffsets(lake::Table* table, const lake::Snapshot& snapshot, const std::string& topic_id,
                   int32_t partition, int64_t begin, const std::function<bool(int64_t)>& found) {
  for (const DataFile& file : snapshot.Files()) {
    if (!MayHold(file, topic_id, partition, begin)) continue;
    ARROW_ASSIGN_OR_RAISE(
        auto read, lake::ReadDataFile(table->store(), table->path(), file, snapshot.schema(),
                                      {"kafka_topic_id", "kafka_partition", "kafka_offset"}));
    ARROW_ASSIGN_OR_RAISE(auto rows, read->CombineChunksToBatch());
    const auto& ids =
        static_cast<const arrow::StringArray&>(*rows->GetColumnByName("kafka_topic_id"));
    const auto& partitions =
        static_cast<const arrow::Int32Array&>(*rows->GetColumnByName("kafka_partition"));
    const auto& offsets =
        static_cast<const arrow::Int64Array&>(*rows->GetColumnByName("kafka_offset"));
    for (int64_t row = 0; row < rows->num_rows(); ++row) {
      if (ids.IsNull(row) || ids.GetView(row) != topic_id || partitions.Value(row) != partition ||
          offsets.Value(row) < begin) {
        continue;
      }
      if (!found(offsets.Value(row))) return Status::OK();
    }
  }
  return Status::OK();
}

}  // namespace

std::optional<OffsetRange> StartPosition::lost() const {
  // A partition the lake never heard of begins at the log start: nothing of it was ours to lose.
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

Result<std::vector<StartPosition>> FindStartPositions(lake::Table* bronze, lake::Table* quarantine,
                                                      const std::string& topic_id,
                                                      const std::vector<int32_t>& partitions,
                                                      const std::vector<kafka::OffsetSpan>& spans) {
  // Bronze first: a cut quarantines before it commits to Bronze, so what an older Bronze snapshot
  // leaves to be read, a newer quarantine snapshot shows where it was quarantined.
  ARROW_ASSIGN_OR_RAISE(auto bronze_snapshot, bronze->Refresh());
  ARROW_ASSIGN_OR_RAISE(auto quarantine_snapshot, quarantine->Refresh());
  std::vector<StartPosition> starts;
  for (int32_t partition : partitions) {
    const std::string app_id = ProgressAppId(topic_id, partition);
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
