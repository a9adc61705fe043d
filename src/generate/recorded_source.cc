#include "generate/recorded_source.h"

#include <arrow/array/array_primitive.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/table_file.h"
#include "generate/purchase_mapper.h"
#include "model/purchase_event.h"

namespace shopstream::generate {
namespace {

// Everything that reading the events needs.
struct Recording {
  SourceMapping mapping;
  TableFile file;
  std::unique_ptr<PurchaseMapper> mapper;
  SkippedRows skipped = {};
};

class RecordedSource : public EventSource {
 public:
  RecordedSource(std::unique_ptr<Recording> recording,
                 std::shared_ptr<arrow::RecordBatchReader> reader, double speed,
                 std::function<int64_t()> now_millis)
      : recording_(std::move(recording)),
        reader_(std::move(reader)),
        speed_(speed),
        now_millis_(std::move(now_millis)) {}

  Result<EventBatch> Next(int64_t max_rows) override {
    while (events_ == nullptr || next_ == events_->num_rows()) {
      ARROW_ASSIGN_OR_RAISE(events_, reader_->Next());
      if (events_ == nullptr) return EventBatch{};
      next_ = 0;
    }
    const int64_t rows = std::min(max_rows, RowsDue());
    EventBatch batch;
    batch.rows = events_->Slice(next_, rows);
    next_ += rows;
    return batch;
  }

  int key_column() const override { return kUserIdColumn; }

  std::optional<SkippedRows> skipped() const override { return recording_->skipped; }

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

  const std::unique_ptr<Recording> recording_;
  const std::shared_ptr<arrow::RecordBatchReader> reader_;  // Borrows from it.
  const double speed_;
  const std::function<int64_t()> now_millis_;
  std::shared_ptr<arrow::RecordBatch> events_;  // Mapped; handed out up to next_.
  int64_t next_ = 0;
  std::optional<Began> began_;
};

}  // namespace

Result<std::unique_ptr<EventSource>> OpenRecordedSource(const SourceMapping& mapping,
                                                        const RecordedOptions& options,
                                                        std::function<int64_t()> now_millis) {
  const FieldRule& time = mapping.fields.at("timestamp");
  if (time.kind != RuleKind::kColumn) {
    return Status::Invalid(mapping.path, ": 'timestamp' must come from a column, because it gives ",
                           "the order of the events");
  }
  ARROW_ASSIGN_OR_RAISE(TableFile file,
                        TableFile::Open(mapping.file, mapping.format, ColumnsOf(mapping, -1)));
  ARROW_ASSIGN_OR_RAISE(auto mapper, PurchaseMapper::Open(mapping));
  std::unique_ptr<Recording> recording(
      new Recording{.mapping = mapping, .file = std::move(file), .mapper = std::move(mapper)});
  ARROW_ASSIGN_OR_RAISE(auto reader,
                        ReadInTimeOrder(recording->file, recording->mapping, *recording->mapper,
                                        options.sort, &recording->skipped));
  return std::make_unique<RecordedSource>(std::move(recording), std::move(reader), options.speed,
                                          std::move(now_millis));
}

}  // namespace shopstream::generate
