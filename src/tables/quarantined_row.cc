#include "tables/quarantined_row.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include <utility>
#include <vector>

#include "lake/parquet/parquet_file.h"
#include "model/calendar.h"
#include "tables/columns.h"
#include "tables/typed_column.h"

namespace shopstream::tables {
namespace {

std::optional<std::string> Bytes(const arrow::BinaryArray& column, int64_t row) {
  if (column.IsNull(row)) return std::nullopt;
  return std::string(column.GetView(row));
}

std::string Text(const arrow::StringArray& column, int64_t row) {
  return column.IsNull(row) ? std::string() : column.GetString(row);
}

}  // namespace

Result<QuarantinedRows> QuarantinedRows::Of(const arrow::RecordBatch& rows) {
  ARROW_ASSIGN_OR_RAISE(auto coordinates, CoordinateColumns::Of(rows));
  QuarantinedRows out(std::move(coordinates));
  ARROW_ASSIGN_OR_RAISE(out.topics_, TypedColumn<arrow::StringArray>(rows, kTopic));
  ARROW_ASSIGN_OR_RAISE(out.timestamps_, TypedColumn<arrow::TimestampArray>(rows, kTimestamp));
  ARROW_ASSIGN_OR_RAISE(out.schema_ids_, TypedColumn<arrow::Int32Array>(rows, kSchemaId));
  ARROW_ASSIGN_OR_RAISE(out.causes_, TypedColumn<arrow::StringArray>(rows, kCause));
  ARROW_ASSIGN_OR_RAISE(out.details_, TypedColumn<arrow::StringArray>(rows, kDetail));
  ARROW_ASSIGN_OR_RAISE(out.keys_, TypedColumn<arrow::BinaryArray>(rows, kKey));
  ARROW_ASSIGN_OR_RAISE(out.values_, TypedColumn<arrow::BinaryArray>(rows, kValue));
  ARROW_ASSIGN_OR_RAISE(out.headers_, TypedColumn<arrow::StringArray>(rows, kHeaders));
  ARROW_ASSIGN_OR_RAISE(out.quarantined_at_,
                        TypedColumn<arrow::TimestampArray>(rows, kQuarantinedAt));
  return out;
}

std::optional<int64_t> QuarantinedRows::TimestampAt(int64_t row) const {
  if (timestamps_->IsNull(row)) return std::nullopt;
  return timestamps_->Value(row);
}

QuarantinedRow QuarantinedRows::Read(int64_t row) const {
  QuarantinedRow out = ReadSummary(row);
  out.key = Bytes(*keys_, row);
  out.value = Bytes(*values_, row);
  out.headers = Text(*headers_, row);
  return out;
}

QuarantinedRow QuarantinedRows::ReadSummary(int64_t row) const {
  QuarantinedRow out;
  out.topic = Text(*topics_, row);
  out.topic_id = coordinates_.TopicIdAt(row).value_or("");
  out.partition = coordinates_.PartitionAt(row).value_or(-1);
  out.offset = coordinates_.OffsetAt(row).value_or(-1);
  out.timestamp_us = TimestampAt(row);
  if (schema_ids_->IsValid(row)) out.schema_id = schema_ids_->Value(row);
  out.cause = Text(*causes_, row);
  out.detail = Text(*details_, row);
  if (values_->IsValid(row)) out.value_bytes = values_->value_length(row);
  out.quarantined_at_us = QuarantinedAtAt(row);
  return out;
}

int64_t QuarantinedRows::QuarantinedAtAt(int64_t row) const {
  return quarantined_at_->IsValid(row) ? quarantined_at_->Value(row) : 0;
}

std::optional<int64_t> QuarantinedRow::sent_ms() const {
  return timestamp_us ? *timestamp_us / kMicrosPerMilli : FindSentOutside(detail);
}

Status VisitQuarantined(lake::ObjectStore* store, const std::string& table_path,
                        const DataFile& file, const std::shared_ptr<arrow::Schema>& schema,
                        const std::function<Status(const QuarantinedRows&)>& on_rows) {
  // Omits the partition's date, which an earlier version took from Kafka's timestamp: a year that
  // no reader accepts must not hide the rows.
  std::vector<std::string> names;
  for (const auto& field : QuarantineFields()) names.push_back(field->name());
  ARROW_ASSIGN_OR_RAISE(const auto table,
                        lake::ReadDataFile(store, table_path, file, schema, names));
  arrow::TableBatchReader batches(*table);
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(batches.ReadNext(&batch));
    if (batch == nullptr) return Status::OK();
    const auto rows = QuarantinedRows::Of(*batch);
    if (!rows.ok()) {
      return rows.status().WithMessage(table_path, "/", file.path, ": ", rows.status().message());
    }
    ARROW_RETURN_NOT_OK(on_rows(*rows));
  }
}

}  // namespace shopstream::tables
