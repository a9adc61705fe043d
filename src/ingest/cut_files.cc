#include "ingest/cut_files.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>
#include <arrow/record_batch.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "lake/parquet_file.h"

namespace shopstream::ingest {
namespace {

using RowIndices = std::vector<int32_t>;

// "2025-10-24", as Delta writes a date in a partition value.
std::string FormatDate(int32_t days) {
  std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  char text[16];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

// The rows of each lake partition, in their order.
std::vector<RowIndices> GroupRows(const Cut& cut) {
  std::vector<int32_t> counts(cut.lake_partitions.size(), 0);
  for (int32_t group : cut.lake_partition) ++counts[group];
  std::vector<RowIndices> groups(counts.size());
  for (size_t i = 0; i < groups.size(); ++i) groups[i].reserve(counts[i]);
  for (size_t row = 0; row < cut.lake_partition.size(); ++row) {
    groups[cut.lake_partition[row]].push_back(static_cast<int32_t>(row));
  }
  return groups;
}

// One value of each chosen row, through `value(row)`.
template <typename Builder, typename Rows, typename Value>
Result<std::shared_ptr<arrow::Array>> BuildColumn(std::unique_ptr<Builder> builder,
                                                  const Rows& rows, Value&& value) {
  ARROW_RETURN_NOT_OK(builder->Reserve(rows.size()));
  for (const auto& row : rows) builder->UnsafeAppend(value(row));
  return builder->Finish();
}

Result<std::shared_ptr<arrow::Array>> RepeatText(const std::string& text, int64_t times) {
  arrow::StringBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(times));
  ARROW_RETURN_NOT_OK(builder.ReserveData(times * static_cast<int64_t>(text.size())));
  for (int64_t i = 0; i < times; ++i) builder.UnsafeAppend(text);
  return builder.Finish();
}

std::unique_ptr<arrow::TimestampBuilder> MicrosBuilder() {
  return std::make_unique<arrow::TimestampBuilder>(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                                                   arrow::default_memory_pool());
}

// The chosen rows with the columns of BronzeLayout::file.
Result<std::shared_ptr<arrow::RecordBatch>> GatherBronze(const BronzeLayout& layout, const Cut& cut,
                                                         const RowIndices& rows) {
  // A view of the indices, without a copy.
  auto indices = std::make_shared<arrow::Int32Array>(static_cast<int64_t>(rows.size()),
                                                     arrow::Buffer::Wrap(rows.data(), rows.size()));
  const auto options = arrow::compute::TakeOptions::NoBoundsCheck();
  arrow::ArrayVector columns;
  for (int i = 0; i < cut.rows->num_columns(); ++i) {
    if (i == layout.partition_column) continue;
    ARROW_ASSIGN_OR_RAISE(auto column,
                          arrow::compute::Take(*cut.rows->column(i), *indices, options));
    columns.push_back(std::move(column));
  }
  const auto add = [&](Result<std::shared_ptr<arrow::Array>> column) -> Status {
    ARROW_RETURN_NOT_OK(column);
    columns.push_back(*std::move(column));
    return Status::OK();
  };
  const int64_t count = static_cast<int64_t>(rows.size());
  ARROW_RETURN_NOT_OK(add(RepeatText(cut.topic, count)));
  ARROW_RETURN_NOT_OK(add(RepeatText(cut.topic_id, count)));
  ARROW_RETURN_NOT_OK(add(BuildColumn(std::make_unique<arrow::Int32Builder>(), rows,
                                      [&](int32_t row) { return cut.kafka_partition[row]; })));
  ARROW_RETURN_NOT_OK(add(BuildColumn(std::make_unique<arrow::Int64Builder>(), rows,
                                      [&](int32_t row) { return cut.kafka_offset[row]; })));
  ARROW_RETURN_NOT_OK(add(BuildColumn(
      MicrosBuilder(), rows, [&](int32_t row) { return cut.kafka_timestamp_ms[row] * 1000; })));
  ARROW_RETURN_NOT_OK(add(BuildColumn(std::make_unique<arrow::Int32Builder>(), rows,
                                      [&](int32_t row) { return cut.schema_id[row]; })));
  ARROW_RETURN_NOT_OK(
      add(BuildColumn(MicrosBuilder(), rows, [&](int32_t) { return cut.ingested_at_ms * 1000; })));
  return arrow::RecordBatch::Make(layout.file, count, std::move(columns));
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

Result<std::shared_ptr<arrow::RecordBatch>> GatherQuarantine(const Cut& cut,
                                                             const Records& records) {
  using Text = std::optional<std::string_view>;
  const int64_t count = static_cast<int64_t>(records.size());
  arrow::ArrayVector columns;
  const auto add = [&](Result<std::shared_ptr<arrow::Array>> column) -> Status {
    ARROW_RETURN_NOT_OK(column);
    columns.push_back(*std::move(column));
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(add(RepeatText(cut.topic, count)));
  ARROW_RETURN_NOT_OK(add(RepeatText(cut.topic_id, count)));
  ARROW_RETURN_NOT_OK(add(BuildColumn(std::make_unique<arrow::Int32Builder>(), records,
                                      [](const auto* record) { return record->partition; })));
  ARROW_RETURN_NOT_OK(add(BuildColumn(std::make_unique<arrow::Int64Builder>(), records,
                                      [](const auto* record) { return record->offset; })));
  ARROW_RETURN_NOT_OK(add(BuildColumn(
      MicrosBuilder(), records, [](const auto* record) { return record->timestamp_ms * 1000; })));
  ARROW_RETURN_NOT_OK(add(OptionalColumn<arrow::Int32Builder>(
      records, [](const QuarantinedRecord& record) { return record.schema_id; })));
  ARROW_RETURN_NOT_OK(add(OptionalColumn<arrow::StringBuilder>(
      records, [](const QuarantinedRecord& record) -> Text { return Name(record.cause); })));
  ARROW_RETURN_NOT_OK(add(OptionalColumn<arrow::StringBuilder>(
      records, [](const QuarantinedRecord& record) -> Text { return record.detail; })));
  ARROW_RETURN_NOT_OK(add(OptionalColumn<arrow::BinaryBuilder>(
      records, [](const QuarantinedRecord& record) -> Text { return record.key; })));
  ARROW_RETURN_NOT_OK(add(OptionalColumn<arrow::BinaryBuilder>(
      records, [](const QuarantinedRecord& record) -> Text { return record.value; })));
  ARROW_RETURN_NOT_OK(add(OptionalColumn<arrow::StringBuilder>(
      records, [](const QuarantinedRecord& record) -> Text { return record.headers_json; })));
  ARROW_RETURN_NOT_OK(add(BuildColumn(MicrosBuilder(), records,
                                      [&](const auto*) { return cut.ingested_at_ms * 1000; })));
  arrow::FieldVector fields = QuarantineSpec().schema->fields();
  fields.pop_back();  // date, the partition column
  return arrow::RecordBatch::Make(arrow::schema(fields), count, std::move(columns));
}

}  // namespace

Result<std::vector<DataFile>> WriteBronzeFiles(lake::ObjectStore* store, const BronzeLayout& layout,
                                               const Cut& cut) {
  std::vector<DataFile> files;
  std::vector<RowIndices> groups = GroupRows(cut);
  for (size_t i = 0; i < groups.size(); ++i) {
    const LakePartition& partition = cut.lake_partitions[i];
    const PartitionValues values = {
        {layout.table.partition_columns[0], layout.partition_values[partition.value]},
        {layout.table.partition_columns[1], FormatDate(partition.date)}};
    ARROW_ASSIGN_OR_RAISE(auto batch, GatherBronze(layout, cut, groups[i]));
    ARROW_ASSIGN_OR_RAISE(auto file, lake::WriteDataFile(store, layout.table.path, values, batch));
    files.push_back(std::move(file));
  }
  return files;
}

Result<std::vector<DataFile>> WriteQuarantineFiles(lake::ObjectStore* store, const Cut& cut) {
  using std::chrono::days;
  using std::chrono::floor;
  using std::chrono::milliseconds;
  std::map<int32_t, Records> by_date;
  for (const QuarantinedRecord& record : cut.quarantined) {
    by_date[floor<days>(milliseconds(record.timestamp_ms)).count()].push_back(&record);
  }
  std::vector<DataFile> files;
  for (const auto& [date, records] : by_date) {
    ARROW_ASSIGN_OR_RAISE(auto batch, GatherQuarantine(cut, records));
    ARROW_ASSIGN_OR_RAISE(auto file, lake::WriteDataFile(store, kQuarantinePath,
                                                         {{"date", FormatDate(date)}}, batch));
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace shopstream::ingest
