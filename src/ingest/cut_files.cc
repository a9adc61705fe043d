#include "ingest/cut_files.h"

#include <arrow/array/array_dict.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/record_batch.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "ingest/align_columns.h"
#include "lake/parquet/parquet_file.h"
#include "model/calendar.h"
#include "tables/columns.h"

namespace shopstream::ingest {
namespace {

// The rows of each lake partition, in their order.
std::vector<lake::PartitionRows> GroupRows(const TableRows& rows) {
  std::vector<int32_t> counts(rows.lake_partitions.size(), 0);
  for (int32_t group : rows.lake_partition) ++counts[group];
  const auto& columns = rows.layout->table.partition_columns;
  std::vector<lake::PartitionRows> groups(counts.size());
  for (size_t i = 0; i < groups.size(); ++i) {
    const LakePartition& partition = rows.lake_partitions[i];
    const std::vector<std::string>& values = rows.partition_values[partition.value];
    for (size_t field = 0; field < values.size(); ++field) {
      const std::string& value = values[field];
      groups[i].values.emplace_back(columns[field],
                                    value.empty() ? std::nullopt : std::optional(value));
    }
    groups[i].values.emplace_back(tables::kDate, FormatDate(partition.date));
    groups[i].rows.reserve(counts[i]);
  }
  for (size_t row = 0; row < rows.lake_partition.size(); ++row) {
    groups[rows.lake_partition[row]].rows.push_back(static_cast<int32_t>(row));
  }
  return groups;
}

// A dictionary with one entry: four bytes a row, which are gathered and encoded faster than texts.
Result<std::shared_ptr<arrow::Array>> RepeatText(const std::string& text, int64_t times) {
  arrow::StringBuilder entry;
  ARROW_RETURN_NOT_OK(entry.Append(text));
  ARROW_ASSIGN_OR_RAISE(auto dictionary, entry.Finish());
  ARROW_ASSIGN_OR_RAISE(auto indices, arrow::AllocateBuffer(times * sizeof(int32_t)));
  std::memset(indices->mutable_data(), 0, static_cast<size_t>(indices->size()));
  return arrow::DictionaryArray::FromArrays(
      arrow::dictionary(arrow::int32(), arrow::utf8()),
      std::make_shared<arrow::Int32Array>(times,
                                          std::shared_ptr<arrow::Buffer>(std::move(indices))),
      std::move(dictionary));
}

// A column over memory of the cut's own, which outlives it.
template <typename ArrayType, typename Value>
std::shared_ptr<arrow::Array> View(const std::vector<Value>& values) {
  return std::make_shared<ArrayType>(static_cast<int64_t>(values.size()),
                                     arrow::Buffer::Wrap(values));
}

// One timestamp for each item, through `millis(item)`; null where there is none, and
// outside the years 0001 to 9999.
template <typename Items, typename Millis>
Result<std::shared_ptr<arrow::Array>> TimestampColumn(const Items& items, Millis&& millis) {
  arrow::TimestampBuilder builder(tables::Instant(), arrow::default_memory_pool());
  ARROW_RETURN_NOT_OK(builder.Reserve(static_cast<int64_t>(items.size())));
  for (const auto& item : items) {
    const int64_t value = millis(item);
    if (IsKnownMillis(value)) {
      builder.UnsafeAppend(value * 1000);
    } else {
      builder.UnsafeAppendNull();
    }
  }
  return builder.Finish();
}

// Collects columns that may each fail to be made.
class ColumnList {
 public:
  void Add(Result<std::shared_ptr<arrow::Array>> column) {
    if (!column.ok()) {
      status_ &= column.status();
      return;
    }
    columns_.push_back(*std::move(column));
  }
  Result<std::shared_ptr<arrow::RecordBatch>> Finish(std::shared_ptr<arrow::Schema> schema,
                                                     size_t rows) {
    ARROW_RETURN_NOT_OK(status_);
    return arrow::RecordBatch::Make(std::move(schema), static_cast<int64_t>(rows),
                                    std::move(columns_));
  }

 private:
  arrow::ArrayVector columns_;
  Status status_;
};

// All rows of a table with the columns of BronzeLayout::file; views of the cut where they can be.
Result<std::shared_ptr<arrow::RecordBatch>> FileRows(const Cut& cut, const TableRows& kept) {
  const BronzeLayout& layout = *kept.layout;
  const auto rows = kept.rows->num_rows();
  ColumnList columns;
  for (int i = 0; i < kept.rows->num_columns(); ++i) {
    if (layout.IsPartitionColumn(i)) continue;
    const auto type = layout.file->GetFieldByName(layout.column_names[i])->type();
    columns.Add(AlignArray(kept.rows->column(i), type));
  }
  columns.Add(RepeatText(cut.topic, rows));
  columns.Add(RepeatText(cut.topic_id, rows));
  columns.Add(View<arrow::Int32Array>(kept.kafka_partition));
  columns.Add(View<arrow::Int64Array>(kept.kafka_offset));
  columns.Add(TimestampColumn(kept.kafka_timestamp_ms, [](int64_t millis) { return millis; }));
  columns.Add(View<arrow::Int32Array>(kept.schema_id));
  columns.Add(TimestampColumn(kept.kafka_offset, [&](int64_t) { return cut.ingested_at_ms; }));
  return columns.Finish(layout.file, static_cast<size_t>(rows));
}

using Records = std::vector<const QuarantinedRecord*>;

// A text or binary column of what may be absent.
template <typename Builder, typename Value>
Result<std::shared_ptr<arrow::Array>> OptionalColumn(const Records& records, Value&& value) {
  Builder builder;
  for (const QuarantinedRecord* record : records) {
    auto item = value(*record);
    ARROW_RETURN_NOT_OK(item ? builder.Append(*item) : builder.AppendNull());
  }
  return builder.Finish();
}

Result<std::shared_ptr<arrow::RecordBatch>> QuarantineRows(const Cut& cut, const Records& records) {
  using Text = std::optional<std::string_view>;
  using Row = QuarantinedRecord;
  const int64_t count = static_cast<int64_t>(records.size());
  ColumnList columns;
  columns.Add(RepeatText(cut.topic, count));
  columns.Add(RepeatText(cut.topic_id, count));
  columns.Add(OptionalColumn<arrow::Int32Builder>(
      records, [](const Row& row) { return std::optional(row.partition); }));
  columns.Add(OptionalColumn<arrow::Int64Builder>(
      records, [](const Row& row) { return std::optional(row.offset); }));
  columns.Add(TimestampColumn(records, [](const Row* row) { return row->timestamp_ms; }));
  columns.Add(
      OptionalColumn<arrow::Int32Builder>(records, [](const Row& row) { return row.schema_id; }));
  columns.Add(OptionalColumn<arrow::StringBuilder>(
      records, [](const Row& row) -> Text { return Name(row.cause); }));
  columns.Add(OptionalColumn<arrow::StringBuilder>(
      records, [](const Row& row) -> Text { return row.detail; }));
  columns.Add(OptionalColumn<arrow::BinaryBuilder>(records,
                                                   [](const Row& row) -> Text { return row.key; }));
  columns.Add(OptionalColumn<arrow::BinaryBuilder>(
      records, [](const Row& row) -> Text { return row.value; }));
  columns.Add(OptionalColumn<arrow::StringBuilder>(
      records, [](const Row& row) -> Text { return row.headers_json; }));
  columns.Add(TimestampColumn(records, [&](const Row*) { return cut.ingested_at_ms; }));
  return columns.Finish(arrow::schema(tables::QuarantineFields()), records.size());
}

// One text for each row, null for the empty one.
Result<std::shared_ptr<arrow::Array>> PartitionColumn(const TableRows& rows, size_t field) {
  arrow::StringBuilder builder;
  for (const int32_t partition : rows.lake_partition) {
    const int value = rows.lake_partitions[static_cast<size_t>(partition)].value;
    const std::string& text = rows.partition_values[static_cast<size_t>(value)][field];
    ARROW_RETURN_NOT_OK(text.empty() ? builder.AppendNull() : builder.Append(text));
  }
  return builder.Finish();
}

Result<std::shared_ptr<arrow::Array>> DateColumn(const TableRows& rows) {
  arrow::Date32Builder builder;
  for (const int32_t partition : rows.lake_partition) {
    ARROW_RETURN_NOT_OK(builder.Append(rows.lake_partitions[static_cast<size_t>(partition)].date));
  }
  return builder.Finish();
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatch>> WholeRows(const Cut& cut, const TableRows& rows) {
  ARROW_ASSIGN_OR_RAISE(const auto stored, FileRows(cut, rows));
  const std::vector<std::string>& partition = rows.layout->table.partition_columns;
  arrow::FieldVector fields = stored->schema()->fields();
  arrow::ArrayVector columns = stored->columns();
  for (auto& column : columns) {
    if (column->type_id() != arrow::Type::DICTIONARY) continue;
    const auto& coded = static_cast<const arrow::DictionaryArray&>(*column);
    ARROW_ASSIGN_OR_RAISE(column, arrow::compute::Take(*coded.dictionary(), *coded.indices()));
  }
  for (size_t field = 0; field + 1 < partition.size(); ++field) {
    fields.push_back(arrow::field(partition[field], arrow::utf8()));
    ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), PartitionColumn(rows, field));
  }
  fields.push_back(arrow::field(partition.back(), arrow::date32()));
  ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), DateColumn(rows));
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), stored->num_rows(),
                                  std::move(columns));
}

Result<std::vector<DataFile>> WriteRowFiles(lake::ObjectStore* store, const Cut& cut,
                                            const TableRows& rows) {
  ARROW_ASSIGN_OR_RAISE(const auto batch, FileRows(cut, rows));
  return lake::WriteDataFiles(store, rows.layout->table.path, batch, GroupRows(rows));
}

Result<std::vector<DataFile>> WriteQuarantineFiles(lake::ObjectStore* store, const Cut& cut) {
  using std::chrono::days;
  using std::chrono::floor;
  using std::chrono::milliseconds;
  const std::string& table = cut.bronze.layout->options.quarantine_table;
  if (cut.quarantined.empty()) return std::vector<DataFile>();
  Records records;
  for (const QuarantinedRecord& record : cut.quarantined) records.push_back(&record);
  // The day of quarantined_at: no value from outside names a partition.
  const auto date = floor<days>(milliseconds(cut.ingested_at_ms)).count();
  ARROW_ASSIGN_OR_RAISE(auto batch, QuarantineRows(cut, records));
  ARROW_ASSIGN_OR_RAISE(
      auto file, lake::WriteDataFile(store, table, {{tables::kDate, FormatDate(date)}}, batch));
  return std::vector<DataFile>{std::move(file)};
}

}  // namespace shopstream::ingest
