#include "ingest/lake_tail.h"

#include <arrow/scalar.h>

#include <algorithm>
#include <optional>

#include "kafka/record_hash.h"
#include "lake/parquet/data_file_stream.h"
#include "lake/parquet/file_predicate.h"
#include "model/calendar.h"
#include "tables/adoption.h"
#include "tables/columns.h"
#include "tables/coordinates.h"
#include "tables/erased_offsets.h"
#include "tables/partition_state.h"
#include "tables/quarantined_row.h"

namespace shopstream::ingest {
namespace {

std::optional<int64_t> KnownMillis(int64_t millis) {
  return IsKnownMillis(millis) ? std::optional(millis) : std::nullopt;
}

// The rows of one topic id and partition from one offset on.
class Segment {
 public:
  Segment(const LakeVersion& lake, std::string topic_id, int32_t partition, int64_t begin)
      : lake_(lake),
        topic_id_(std::move(topic_id)),
        partition_(partition),
        begin_(begin),
        wanted_(lake::FilePredicate::AllOf({
            Exactly(tables::kTopicId, arrow::MakeScalar(topic_id_)),
            Exactly(tables::kPartition, arrow::MakeScalar(partition)),
            lake::ColumnRange{.column = tables::kOffset, .least = arrow::MakeScalar(begin)},
        })) {}

  Result<std::vector<SeamRow>> Read() {
    ARROW_RETURN_NOT_OK(ReadRows(lake_.bronze));
    for (const auto& side : lake_.sides) ARROW_RETURN_NOT_OK(ReadRows(side));
    ARROW_RETURN_NOT_OK(ReadQuarantine());
    ARROW_RETURN_NOT_OK(AddErased(*lake_.bronze.second));
    ARROW_RETURN_NOT_OK(AddErased(*lake_.quarantine.second));
    for (const auto& side : lake_.sides) ARROW_RETURN_NOT_OK(AddErased(*side.second));
    AddLast();
    std::vector<SeamRow> rows;
    for (const auto& [offset, row] : rows_) rows.push_back(row);
    return rows;
  }

 private:
  static lake::ColumnRange Exactly(std::string column, std::shared_ptr<arrow::Scalar> value) {
    return {.column = std::move(column), .least = value, .most = std::move(value)};
  }

  bool Holds(const std::optional<tables::Coordinates>& at) const {
    return at && at->topic_id == topic_id_ && at->partition == partition_ && at->offset >= begin_;
  }

  SeamRow& RowAt(int64_t offset) {
    SeamRow& row = rows_[offset];
    row.offset = offset;
    row.erased = false;
    return row;
  }

  Status ReadRows(const LakeVersion::Version& table) {
    const auto& schema = table.second->schema();
    arrow::FieldVector fields;
    const auto add = [&](const std::string& name) {
      if (const auto field = schema->GetFieldByName(name)) fields.push_back(field);
    };
    for (const std::string& name : tables::CoordinateColumns::Names()) add(name);
    add(tables::kTimestamp);
    for (const std::string& name : lake_.hasher.ColumnsOf(table.first->path())) add(name);
    for (const DataFile& file : table.second->Files()) {
      if (!wanted_.MayMatch(file)) continue;
      ARROW_RETURN_NOT_OK(ReadFile(*table.first, file, arrow::schema(fields)));
    }
    return Status::OK();
  }

  Status ReadFile(const lake::Table& table, const DataFile& file,
                  const std::shared_ptr<arrow::Schema>& fields) {
    ARROW_ASSIGN_OR_RAISE(const auto reader, lake::DataFileReader::Open(table.store(), table.path(),
                                                                        file, fields, {}, wanted_));
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
      if (batch == nullptr) return Status::OK();
      ARROW_ASSIGN_OR_RAISE(const auto coordinates, tables::CoordinateColumns::Of(*batch));
      RowHasher::Columns columns;
      for (const auto& field : fields->fields()) {
        columns[field->name()] = batch->GetColumnByName(field->name());
      }
      for (int64_t position = 0; position < batch->num_rows(); ++position) {
        const auto at = coordinates.At(position);
        if (!Holds(at)) continue;
        SeamRow& row = RowAt(at->offset);
        if (at->timestamp_us) row.content.timestamp_ms = *at->timestamp_us / kMicrosPerMilli;
        ARROW_ASSIGN_OR_RAISE(row.content.row, lake_.hasher.Hash(table.path(), columns, position));
      }
    }
  }

  Status ReadQuarantine() {
    const auto take = [&](const tables::QuarantinedRows& rows) -> Status {
      for (int64_t position = 0; position < rows.size(); ++position) {
        const auto at = rows.coordinates().At(position);
        if (!Holds(at)) continue;
        const tables::QuarantinedRow stored = rows.Read(position);
        const int64_t sent_ms = stored.sent_ms().value_or(kNoTimestamp);
        SeamContent& content = RowAt(at->offset).content;
        content.timestamp_ms = KnownMillis(sent_ms);
        content.record = kafka::ContentHash(sent_ms, stored.key, stored.value);
        content.headers = kafka::ContentHash(0, std::nullopt, stored.headers);
      }
      return Status::OK();
    };
    const auto& [table, snapshot] = lake_.quarantine;
    for (const DataFile& file : snapshot->Files()) {
      if (!wanted_.MayMatch(file)) continue;
      ARROW_RETURN_NOT_OK(
          tables::VisitQuarantined(table->store(), table->path(), file, snapshot->schema(), take));
    }
    return Status::OK();
  }

  // A replayed record may be erased from one table alone.
  Status AddErased(const lake::Snapshot& table) {
    ARROW_ASSIGN_OR_RAISE(const auto removed, tables::ReadRemoved(table));
    const auto found = removed.find(topic_id_);
    if (found == removed.end()) return Status::OK();
    found->second.ForEachRun([&](int32_t partition, int64_t begin, int64_t end) {
      if (partition != partition_) return;
      for (int64_t offset = std::max(begin, begin_); offset < end; ++offset) {
        rows_.emplace(offset, SeamRow{.offset = offset, .content = {}, .erased = true});
      }
    });
    return Status::OK();
  }

  // Bronze knows all of the last record, even if it is erased.
  void AddLast() {
    const auto state =
        tables::ReadPartitionState(lake_.bronze.second->Txns(), topic_id_, partition_);
    const auto& last = state.position.last;
    if (!last || last->hash == 0 || !rows_.contains(last->offset)) return;
    SeamContent& content = RowAt(last->offset).content;
    content.timestamp_ms = KnownMillis(last->timestamp_ms);
    content.record = last->hash;
  }

  const LakeVersion& lake_;
  const std::string topic_id_;
  const int32_t partition_;
  const int64_t begin_;
  const lake::FilePredicate wanted_;
  std::map<int64_t, SeamRow> rows_;  // By offset.
};

}  // namespace

Result<LakeTail> ReadLakeTail(const LakeVersion& lake, const std::string& topic_id,
                              int32_t partition, int64_t offsets) {
  const tables::Txns& txns = lake.bronze.second->Txns();
  LakeTail tail{.rows = {}, .complete = true};
  for (const std::string& id : tables::ChainOf(txns, topic_id)) {
    const auto state = tables::ReadPartitionState(txns, id, partition);
    if (!state.next) break;  // The earlier topic had fewer partitions.
    const auto adoption = tables::ReadAdoption(txns, id, partition);
    const int64_t first = adoption ? adoption->below : 0;
    const int64_t begin = std::max(first, *state.next - offsets);
    ARROW_ASSIGN_OR_RAISE(std::vector<SeamRow> rows, Segment(lake, id, partition, begin).Read());
    tail.rows.insert(tail.rows.begin(), std::make_move_iterator(rows.begin()),
                     std::make_move_iterator(rows.end()));
    tail.complete = begin <= first;
    offsets -= *state.next - begin;
    if (!tail.complete || !adoption) break;
    if (offsets <= 0) {
      tail.complete = false;
      break;
    }
  }
  return tail;
}

}  // namespace shopstream::ingest
