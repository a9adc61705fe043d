#include "generate/recorded_source.h"

#include <arrow/array/array_primitive.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "generate/purchase_mapper.h"
#include "generate/table_file.h"
#include "model/purchase_event.h"

namespace shopstream::generate {
namespace {

constexpr int kTimestampColumn = 8;

class RecordedSource : public EventSource {
 public:
  RecordedSource(std::shared_ptr<arrow::RecordBatchReader> reader,
                 std::unique_ptr<PurchaseMapper> mapper, double speed,
                 std::function<int64_t()> now_millis)
      : reader_(std::move(reader)),
        mapper_(std::move(mapper)),
        speed_(speed),
        now_millis_(std::move(now_millis)) {}

  Result<EventBatch> Next(int64_t max_rows) override {
    while (events_ == nullptr || next_ == events_->num_rows()) {
      ARROW_ASSIGN_OR_RAISE(const auto rows, reader_->Next());
      if (rows == nullptr) return EventBatch{};
      ARROW_ASSIGN_OR_RAISE(events_, mapper_->Map(*rows, rows_read_));
      rows_read_ += rows->num_rows();
      next_ = 0;
    }
    const int64_t rows = std::min(max_rows, RowsDue());
    EventBatch batch;
    batch.rows = events_->Slice(next_, rows);
    next_ += rows;
    return batch;
  }

  int key_column() const override { return kUserIdColumn; }

 private:
  // The number of current rows that are due.
  int64_t RowsDue() {
    const int64_t rows = events_->num_rows() - next_;
    if (speed_ <= 0) return rows;
    const auto& times =
        static_cast<const arrow::TimestampArray&>(*events_->column(kTimestampColumn));
    const int64_t* first = times.raw_values() + next_;
    const int64_t now = now_millis_();
    if (!began_) began_ = Began{.event_millis = *first, .wall_millis = now};
    const double passed = static_cast<double>(now - began_->wall_millis) * speed_;
    const double due_until = static_cast<double>(began_->event_millis) + passed;
    return std::upper_bound(
               first, first + rows, due_until,
               [](double due, int64_t time) { return due < static_cast<double>(time); }) -
           first;
  }

  struct Began {
    int64_t event_millis = 0;
    int64_t wall_millis = 0;
  };

  const std::shared_ptr<arrow::RecordBatchReader> reader_;
  const std::unique_ptr<PurchaseMapper> mapper_;
  const double speed_;
  const std::function<int64_t()> now_millis_;
  std::shared_ptr<arrow::RecordBatch> events_;  // Mapped; handed out up to next_.
  int64_t next_ = 0;
  int64_t rows_read_ = 0;
  std::optional<Began> began_;
};

}  // namespace

Result<std::unique_ptr<EventSource>> OpenRecordedSource(const SourceMapping& mapping,
                                                        const RecordedOptions& options,
                                                        std::function<int64_t()> now_millis) {
  ARROW_ASSIGN_OR_RAISE(const TableFile file, TableFile::Open(mapping.file));
  const FieldRule& time = mapping.fields.at("timestamp");
  if (time.kind != RuleKind::kColumn) {
    return Status::Invalid(mapping.path, ": 'timestamp' must come from a column, for the order");
  }
  ARROW_ASSIGN_OR_RAISE(auto reader,
                        ReadInTimeOrder(file, ColumnsOf(mapping, -1), time.column, options.sort));
  ARROW_ASSIGN_OR_RAISE(auto mapper, PurchaseMapper::Open(mapping));
  return std::make_unique<RecordedSource>(std::move(reader), std::move(mapper), options.speed,
                                          std::move(now_millis));
}

}  // namespace shopstream::generate
