#include "refine/row_collector.h"

#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "lake/parquet/partition_path.h"

namespace shopstream::refine {
namespace {

bool IsPartitionColumn(const lake::Snapshot& table, const std::string& column) {
  return std::ranges::count(table.partition_columns(), column) > 0;
}

Result<std::shared_ptr<arrow::RecordBatch>> TakenFrom(std::shared_ptr<arrow::RecordBatch> batch,
                                                      const std::vector<int32_t>& rows) {
  if (std::ssize(rows) == batch->num_rows()) return batch;
  const arrow::Int32Array positions(std::ssize(rows), arrow::Buffer::Wrap(rows));
  arrow::ArrayVector columns;
  for (const auto& column : batch->columns()) {
    ARROW_ASSIGN_OR_RAISE(
        columns.emplace_back(),
        arrow::compute::Take(*column, positions, arrow::compute::TakeOptions::NoBoundsCheck()));
  }
  return arrow::RecordBatch::Make(batch->schema(), positions.length(), std::move(columns));
}

// Of a partition, which has one value for each partition column.
const std::optional<std::string>& ValueOfColumn(const PartitionValues& partition,
                                                const std::string& column) {
  return std::ranges::find(partition, column, [](const auto& each) { return each.first; })->second;
}

}  // namespace

std::vector<std::string> StoredColumns(const lake::Snapshot& table) {
  std::vector<std::string> columns;
  for (const auto& field : table.schema()->fields()) {
    if (!IsPartitionColumn(table, field->name())) columns.push_back(field->name());
  }
  return columns;
}

RowCollector::RowCollector(std::shared_ptr<const lake::Snapshot> bronze)
    : bronze_(std::move(bronze)) {}

Status RowCollector::Add(const DataFile& file, std::shared_ptr<arrow::RecordBatch> batch,
                         const std::vector<int32_t>& positions) {
  if (positions.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(batch, TakenFrom(std::move(batch), positions));
  ARROW_ASSIGN_OR_RAISE(const int32_t partition, PartitionOf(file));
  Piece piece{.partition = partition, .rows = batch->num_rows(), .columns = {}};
  for (int i = 0; i < batch->num_columns(); ++i) {
    piece.columns.emplace(batch->column_name(i), batch->column(i));
  }
  ARROW_ASSIGN_OR_RAISE(const int64_t bytes, arrow::util::ReferencedBufferSize(*batch));
  bytes_ += bytes;
  rows_ += piece.rows;
  pieces_.push_back(std::move(piece));
  return Status::OK();
}

Result<PassRows> RowCollector::Take() {
  PassRows result;
  for (const Piece& piece : pieces_) {
    result.partition_of_row.insert(result.partition_of_row.end(), static_cast<size_t>(piece.rows),
                                   piece.partition);
  }
  arrow::ArrayVector columns;
  for (const auto& field : bronze_->schema()->fields()) {
    ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), Joined(*field));
  }
  result.rows = arrow::RecordBatch::Make(bronze_->schema(), rows_, std::move(columns));
  result.partitions = std::exchange(partitions_, {});
  pieces_.clear();
  rows_ = bytes_ = 0;
  return result;
}

// Writers may spell one value differently, and are still in the same partition.
Result<int32_t> RowCollector::PartitionOf(const DataFile& file) {
  PartitionValues values;
  for (const std::string& column : bronze_->partition_columns()) {
    const auto found = std::ranges::find(file.partition_values, column,
                                         [](const auto& value) { return value.first; });
    const auto text = found == file.partition_values.end() ? std::nullopt : found->second;
    ARROW_ASSIGN_OR_RAISE(
        const auto value,
        lake::ParsePartitionValue(text, bronze_->schema()->GetFieldByName(column)->type()));
    ARROW_ASSIGN_OR_RAISE(const auto spelled, lake::FormatPartitionValue(*value));
    values.emplace_back(column, spelled);
  }
  const auto known = std::ranges::find(partitions_, values);
  if (known != partitions_.end()) return static_cast<int32_t>(known - partitions_.begin());
  partitions_.push_back(std::move(values));
  return static_cast<int32_t>(partitions_.size() - 1);
}

// A column of all pieces, which no longer have it.
Result<std::shared_ptr<arrow::Array>> RowCollector::Joined(const arrow::Field& field) {
  if (pieces_.empty()) return arrow::MakeEmptyArray(field.type());
  arrow::ArrayVector parts;
  for (Piece& piece : pieces_) {
    if (!IsPartitionColumn(*bronze_, field.name())) {
      parts.push_back(std::move(piece.columns.at(field.name())));
      continue;
    }
    const PartitionValues& partition = partitions_[static_cast<size_t>(piece.partition)];
    ARROW_ASSIGN_OR_RAISE(
        const auto value,
        lake::ParsePartitionValue(ValueOfColumn(partition, field.name()), field.type()));
    ARROW_ASSIGN_OR_RAISE(parts.emplace_back(), arrow::MakeArrayFromScalar(*value, piece.rows));
  }
  return arrow::Concatenate(parts);
}

}  // namespace shopstream::refine
