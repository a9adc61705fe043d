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

#include "model/purchase_event.h"

namespace shopstream::generate {
namespace {

constexpr int64_t kBatchRows = 32'768;

using ReaderPointer = std::shared_ptr<arrow::RecordBatchReader>;

Result<bool> IsInOrder(const TableFile& file, const SourceMapping& mapping,
                       const PurchaseMapper& mapper) {
  ARROW_ASSIGN_OR_RAISE(const ReaderPointer reader, file.Read(TimeColumnsOf(mapping), nullptr));
  int64_t last = std::numeric_limits<int64_t>::min();
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto batch, reader->Next());
    if (batch == nullptr) return true;
    ARROW_ASSIGN_OR_RAISE(const auto times, mapper.Times(std::move(batch)));
    for (int64_t row = 0; row < times->length(); ++row) {
      if (times->Value(row) < last) return false;
      last = times->Value(row);
    }
  }
}

// The events in the order of the file.
class StreamedEvents : public arrow::RecordBatchReader {
 public:
  StreamedEvents(ReaderPointer rows, const PurchaseMapper* mapper, SkippedRows* skipped)
      : rows_(std::move(rows)), mapper_(mapper), skipped_(skipped) {}
  std::shared_ptr<arrow::Schema> schema() const override { return PurchaseEventSchema(); }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    ARROW_RETURN_NOT_OK(rows_->ReadNext(batch));
    if (*batch == nullptr) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(*batch, mapper_->Map(std::move(*batch), skipped_));
    return Status::OK();
  }

 private:
  const ReaderPointer rows_;
  const PurchaseMapper* mapper_;
  SkippedRows* skipped_;
};

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
                                                      arrow::RecordBatchReader* events,
                                                      int64_t memory_limit_bytes) {
  arrow::RecordBatchVector batches;
  int64_t bytes = 0;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto batch, events->Next());
    if (batch == nullptr) break;
    bytes += arrow::util::TotalBufferSize(*batch);
    if (bytes > memory_limit_bytes) {
      return Status::Invalid(file.path(), " is not sorted by time, and too large to be sorted ",
                             "here: its events take more than ", memory_limit_bytes >> 20,
                             " MiB; sort the file by its time first");
    }
    batches.push_back(std::move(batch));
  }
  ARROW_ASSIGN_OR_RAISE(const auto table,
                        arrow::Table::FromRecordBatches(events->schema(), batches));
  return table->CombineChunksToBatch();
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> ReadInTimeOrder(const TableFile& file,
                                                                  const SourceMapping& mapping,
                                                                  const PurchaseMapper& mapper,
                                                                  const SortOptions& options,
                                                                  SkippedRows* skipped) {
  ARROW_ASSIGN_OR_RAISE(const bool in_order, IsInOrder(file, mapping, mapper));
  ARROW_ASSIGN_OR_RAISE(auto rows, file.Read(ColumnsOf(mapping, -1), &skipped->lines));
  auto events = std::make_shared<StreamedEvents>(std::move(rows), &mapper, skipped);
  if (in_order) return events;
  ARROW_ASSIGN_OR_RAISE(auto whole, LoadWhole(file, events.get(), options.memory_limit_bytes));
  const auto& times = static_cast<const arrow::TimestampArray&>(*whole->column(kTimestampColumn));
  std::vector<int32_t> order(static_cast<size_t>(times.length()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return times.Value(a) < times.Value(b); });
  return std::make_shared<OrderedBatches>(std::move(whole), std::move(order));
}

}  // namespace shopstream::generate
