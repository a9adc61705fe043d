#include "generate/time_order.h"

#include <arrow/array/array_primitive.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/table.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "generate/purchase_mapper.h"

namespace shopstream::generate {
namespace {

constexpr int64_t kBatchRows = 32'768;

using ReaderPointer = std::shared_ptr<arrow::RecordBatchReader>;

// Appends the column's times; `row` counts the rows so far, for messages.
Status AppendTimes(const TableFile& file, const std::shared_ptr<arrow::Array>& column,
                   const std::string& name, int64_t row, std::vector<int64_t>* times) {
  const std::string where =
      file.path() + ", from row " + std::to_string(row + 1) + " on, column " + name;
  ARROW_ASSIGN_OR_RAISE(const auto millis, ToUtcMillis(column, where));
  if (millis->null_count() > 0) return Status::Invalid(where, ": a time is missing");
  const auto& values = static_cast<const arrow::TimestampArray&>(*millis);
  times->insert(times->end(), values.raw_values(), values.raw_values() + values.length());
  return Status::OK();
}

Result<bool> IsInOrder(const TableFile& file, const std::string& time_column) {
  ARROW_ASSIGN_OR_RAISE(const ReaderPointer reader, file.Read({time_column}));
  int64_t last = std::numeric_limits<int64_t>::min(), row = 0;
  std::vector<int64_t> times;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (batch == nullptr) return true;
    times.assign(1, last);
    ARROW_RETURN_NOT_OK(AppendTimes(file, batch->column(0), time_column, row, &times));
    if (!std::is_sorted(times.begin(), times.end())) return false;
    last = times.back();
    row += batch->num_rows();
  }
}

// Returns a table's rows in the order of a list of row numbers.
class OrderedBatches : public arrow::RecordBatchReader {
 public:
  OrderedBatches(std::shared_ptr<arrow::RecordBatch> rows, std::vector<int32_t> order)
      : rows_(std::move(rows)), order_(std::move(order)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return rows_->schema(); }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    const int64_t rows = std::min<int64_t>(kBatchRows, std::ssize(order_) - next_);
    if (rows == 0) return Status::OK();
    arrow::Int32Builder builder;
    ARROW_RETURN_NOT_OK(builder.AppendValues(order_.data() + next_, rows));
    ARROW_ASSIGN_OR_RAISE(const auto indices, builder.Finish());
    ARROW_ASSIGN_OR_RAISE(const arrow::Datum taken, arrow::compute::Take(rows_, indices));
    *batch = taken.record_batch();
    next_ += rows;
    return Status::OK();
  }

 private:
  const std::shared_ptr<arrow::RecordBatch> rows_;
  const std::vector<int32_t> order_;
  int64_t next_ = 0;
};

Result<std::shared_ptr<arrow::RecordBatch>> LoadWhole(const TableFile& file,
                                                      const std::vector<std::string>& columns,
                                                      int64_t memory_limit_bytes) {
  ARROW_ASSIGN_OR_RAISE(const ReaderPointer reader, file.Read(columns));
  arrow::RecordBatchVector batches;
  int64_t bytes = 0;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto batch, reader->Next());
    if (batch == nullptr) break;
    bytes += arrow::util::TotalBufferSize(*batch);
    if (bytes > memory_limit_bytes) {
      return Status::Invalid(file.path(), " is not sorted by time, and too large to be sorted ",
                             "here: its columns take more than ", memory_limit_bytes >> 20,
                             " MiB; sort the file by its time first");
    }
    batches.push_back(std::move(batch));
  }
  ARROW_ASSIGN_OR_RAISE(const auto table,
                        arrow::Table::FromRecordBatches(reader->schema(), std::move(batches)));
  return table->CombineChunksToBatch();
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> ReadInTimeOrder(
    const TableFile& file, const std::vector<std::string>& columns, const std::string& time_column,
    const SortOptions& options) {
  ARROW_RETURN_NOT_OK(file.CheckColumns(columns));
  ARROW_ASSIGN_OR_RAISE(const bool in_order, IsInOrder(file, time_column));
  if (in_order) return file.Read(columns);
  ARROW_ASSIGN_OR_RAISE(auto rows, LoadWhole(file, columns, options.memory_limit_bytes));
  std::vector<int64_t> times;
  ARROW_RETURN_NOT_OK(
      AppendTimes(file, rows->GetColumnByName(time_column), time_column, 0, &times));
  std::vector<int32_t> order(times.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return times[a] < times[b]; });
  return std::make_shared<OrderedBatches>(std::move(rows), std::move(order));
}

}  // namespace shopstream::generate
