#include "tables/coordinates.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>

#include "lake/parquet/parquet_file.h"
#include "tables/columns.h"
#include "tables/typed_column.h"

namespace shopstream::tables {

std::vector<std::string> CoordinateColumns::Names() { return {kTopicId, kPartition, kOffset}; }

Result<CoordinateColumns> CoordinateColumns::Of(const arrow::RecordBatch& rows) {
  CoordinateColumns columns;
  ARROW_ASSIGN_OR_RAISE(columns.topic_ids_, TypedColumn<arrow::StringArray>(rows, kTopicId));
  ARROW_ASSIGN_OR_RAISE(columns.partitions_, TypedColumn<arrow::Int32Array>(rows, kPartition));
  ARROW_ASSIGN_OR_RAISE(columns.offsets_, TypedColumn<arrow::Int64Array>(rows, kOffset));
  const auto sent = rows.GetColumnByName(kTimestamp);
  if (sent != nullptr && sent->type()->Equals(Instant())) {
    columns.timestamps_ = std::static_pointer_cast<arrow::TimestampArray>(sent);
  }
  return columns;
}

std::optional<Coordinates> CoordinateColumns::At(int64_t row) const {
  const auto topic_id = TopicIdAt(row);
  const auto partition = PartitionAt(row);
  const auto offset = OffsetAt(row);
  if (!topic_id || partition.value_or(-1) < 0 || offset.value_or(-1) < 0) return std::nullopt;
  Coordinates at{*topic_id, *partition, *offset, std::nullopt};
  if (timestamps_ != nullptr && timestamps_->IsValid(row))
    at.timestamp_us = timestamps_->Value(row);
  return at;
}

std::optional<std::string_view> CoordinateColumns::TopicIdAt(int64_t row) const {
  return topic_ids_->IsNull(row) ? std::nullopt : std::optional(topic_ids_->GetView(row));
}

std::optional<int32_t> CoordinateColumns::PartitionAt(int64_t row) const {
  return partitions_->IsNull(row) ? std::nullopt : std::optional(partitions_->Value(row));
}

std::optional<int64_t> CoordinateColumns::OffsetAt(int64_t row) const {
  return offsets_->IsNull(row) ? std::nullopt : std::optional(offsets_->Value(row));
}

Status VisitCoordinates(lake::ObjectStore* store, const std::string& table_path,
                        const DataFile& file, const std::shared_ptr<arrow::Schema>& schema,
                        const OnCoordinates& on_row) {
  std::vector<std::string> names = CoordinateColumns::Names();
  const auto sent = schema->GetFieldByName(kTimestamp);
  if (sent != nullptr && sent->type()->Equals(Instant())) names.push_back(kTimestamp);
  ARROW_ASSIGN_OR_RAISE(const auto table,
                        lake::ReadDataFile(store, table_path, file, schema, names));
  arrow::TableBatchReader batches(*table);
  while (true) {
    std::shared_ptr<arrow::RecordBatch> rows;
    ARROW_RETURN_NOT_OK(batches.ReadNext(&rows));
    if (rows == nullptr) return Status::OK();
    const auto columns = CoordinateColumns::Of(*rows);
    if (!columns.ok()) {
      return columns.status().WithMessage(table_path, "/", file.path, ": ",
                                          columns.status().message());
    }
    for (int64_t row = 0; row < rows->num_rows(); ++row) {
      if (!on_row(columns->At(row))) return Status::OK();
    }
  }
}

}  // namespace shopstream::tables
