#include <algorithm>

#include "base/json.h"
#include "base/json_or_null.h"
#include "lineage/file_offsets.h"
#include "lineage/lineage.h"
#include "sql/value_text.h"

namespace shopstream::lineage {
namespace {

using nlohmann::ordered_json;

// Of JSON text; empty: null.
ordered_json Parsed(const std::string& text) {
  return text.empty() ? ordered_json() : ParseOrderedJson(text);
}

ordered_json RowJson(const arrow::RecordBatch& row) {
  ordered_json values = ordered_json::object();
  for (int i = 0; i < row.num_columns(); ++i) {
    values[row.column_name(i)] = Parsed(sql::ValueJson(*row.column(i), 0));
  }
  return values;
}

ordered_json ToJson(const StoredRow& stored) {
  const RowPlace& place = stored.place;
  return {{"table", place.table},
          {"version", place.version},
          {"file", place.path},
          {"file_rows", place.file_rows < 0 ? ordered_json() : ordered_json(place.file_rows)},
          {"file_bytes", place.file_bytes},
          {"row_group", place.row_group},
          {"position", place.position},
          {"row", RowJson(*stored.row)}};
}

ordered_json ToJson(const KafkaSpan& kafka, const std::optional<bool>& holds) {
  ordered_json json = {{"log_start", OrNull(kafka.log_start)},
                       {"end", OrNull(kafka.end)},
                       {"holds_it", OrNull(holds)}};
  if (!kafka.unknown.empty()) json["unknown"] = kafka.unknown;
  return json;
}

const char* Name(refine::GoldKind kind) {
  switch (kind) {
    case refine::GoldKind::kKey:
      return "key";
    case refine::GoldKind::kAdd:
      return "add";
    case refine::GoldKind::kMin:
      return "min";
    case refine::GoldKind::kMax:
      return "max";
    case refine::GoldKind::kDistinct:
      return "distinct";
    case refine::GoldKind::kDerived:
      return "derived";
  }
  return "";
}

ordered_json ToJson(const GoldCell& cell) {
  ordered_json key = ordered_json::object(), columns = ordered_json::array();
  for (const auto& [name, value] : cell.key) key[name] = Parsed(value);
  for (const CellColumn& column : cell.columns) {
    columns.push_back({{"name", column.name},
                       {"kind", Name(column.kind)},
                       {"value", Parsed(column.value)},
                       {"share", Parsed(column.share)},
                       {"share_percent", OrNull(column.share_percent)}});
  }
  return {
      {"table", cell.table},       {"state", Name(cell.state)}, {"version", OrNull(cell.version)},
      {"pass", OrNull(cell.pass)}, {"key", std::move(key)},     {"columns", std::move(columns)}};
}

ordered_json BronzeJson(const RecordLineage& record) {
  if (!record.bronze) return nullptr;
  ordered_json json = ToJson(*record.bronze);
  json["added"] = ToJson(record.added.search);
  json["replayed"] = record.added.was_replayed;
  json["moved"] = OrNull(record.added.moved);
  json["moved_by"] = record.added.moved.value_or(false) ? ToJson(record.moved) : ordered_json();
  return json;
}

ordered_json QuarantineJson(const RecordLineage& record) {
  if (!record.quarantine) return nullptr;
  ordered_json json = ToJson(record.quarantine->row);
  json["added"] = ToJson(record.quarantine->added);
  json["replayed"] = record.quarantine->replayed;
  return json;
}

ordered_json RefinedJson(const RecordLineage& record) {
  ordered_json original = ordered_json::array();
  for (const StoredRow& row : record.original) original.push_back(ToJson(row));
  return {{"verdict", Name(record.verdict)},
          {"reason", record.verdict_reason},
          {"pass", OrNull(record.pass)},
          {"reasons", record.reasons},
          {"row", record.refined ? ToJson(*record.refined) : ordered_json()},
          {"duplicate_of", original.empty() ? ordered_json() : original[0]}};
}

}  // namespace

ordered_json ToJson(const CommitSearch& search) {
  if (!search.commit) return {{"version", nullptr}, {"unknown", search.unknown}};
  const AddingCommit& commit = *search.commit;
  return {{"version", commit.version},         {"time_ms", commit.time_ms},
          {"operation", commit.operation},     {"engine", commit.engine},
          {"files_added", commit.files_added}, {"rows_added", commit.rows_added}};
}

ordered_json ToJson(const RecordLineage& record) {
  ordered_json gold = ordered_json::array();
  for (const GoldCell& cell : record.gold) gold.push_back(ToJson(cell));
  ordered_json json = {{"topic", record.topic},
                       {"topic_id", record.key.topic_id},
                       {"partition", record.key.partition},
                       {"offset", record.key.offset},
                       {"state", Name(record.arrival)},
                       {"reason", record.reason},
                       {"remedy", record.remedy},
                       {"kafka", ToJson(record.kafka, record.in_kafka)},
                       {"bronze", BronzeJson(record)},
                       {"quarantine", QuarantineJson(record)},
                       {"refined", RefinedJson(record)},
                       {"gold", std::move(gold)}};
  if (!record.gold_unknown.empty()) json["gold_unknown"] = record.gold_unknown;
  return json;
}

ordered_json ToJson(const FileLineage& file) {
  ordered_json partitions = ordered_json::array();
  for (const FilePartition& part : file.partitions) {
    ordered_json ranges = ordered_json::array();
    for (const OffsetRange& range : part.ranges) {
      ranges.push_back({{"first_offset", range.begin}, {"last_offset", range.end - 1}});
    }
    partitions.push_back({{"topic_id", part.topic_id},
                          {"partition", part.partition},
                          {"rows", part.rows},
                          {"first_offset", part.span.begin},
                          {"last_offset", part.span.end - 1},
                          {"ranges", std::move(ranges)},
                          {"ranges_left_out", part.ranges_left_out}});
  }
  return {{"table", file.table},
          {"file", file.path},
          {"version", file.version},
          {"live", file.live},
          {"removed_ms", OrNull(file.removed_ms)},
          {"rows", OrNull(file.rows)},
          {"bytes", file.bytes},
          {"added", ToJson(file.added)},
          {"has_coordinates", file.has_coordinates},
          {"partitions", std::move(partitions)},
          {"rows_without_coordinates", file.rows_without_coordinates}};
}

}  // namespace shopstream::lineage
