#include "sql/lake_rows.h"

#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "lake/delta/retention.h"
#include "lake/parquet/data_file_stream.h"
#include "lake/parquet/partition_path.h"

namespace shopstream::sql {
namespace {

constexpr int64_t kBatchRows = 1 << 16;  // Of rows that need no reading.

bool IsPartition(const DataFile& file, const std::string& column) {
  return std::ranges::any_of(file.partition_values,
                             [&](const auto& value) { return value.first == column; });
}

}  // namespace

// Each thread takes the next file that none has taken.
class LakeScan : public RowScan {
 public:
  LakeScan(LakeRows* rows, const std::vector<DataFile>* files, arrow::FieldVector fields,
           int threads)
      : rows_(rows),
        files_(files),
        condition_(rows->condition_),
        fields_(std::move(fields)),
        threads_(static_cast<size_t>(threads)) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next(int thread) override {
    Reading& reading = threads_[static_cast<size_t>(thread)];
    for (;;) {
      if (reading.file == nullptr) {
        const size_t next = next_file_.fetch_add(1);
        if (next >= files_->size()) return nullptr;
        if (!condition_.MayMatch((*files_)[next])) continue;
        ARROW_RETURN_NOT_OK(Start(next, &reading));
      }
      ARROW_ASSIGN_OR_RAISE(auto batch, NextOf(&reading));
      if (batch != nullptr) return batch;
      reading = Reading();
    }
  }

 private:
  // A file that a thread is at.
  struct Reading {
    const DataFile* file = nullptr;
    const LakeRows::Part* part = nullptr;          // Its table; set with a reader.
    std::unique_ptr<lake::DataFileReader> reader;  // Null: nothing in the file is needed.
    int64_t rows_left = 0;                         // Without a reader.
  };

  Status Start(size_t number, Reading* reading) {
    const DataFile& file = (*files_)[number];
    reading->file = &file;
    arrow::FieldVector stored;
    for (const auto& field : fields_) {
      if (!IsPartition(file, field->name())) stored.push_back(field);
    }
    if (stored.empty() && file.rows >= 0) {
      reading->rows_left = file.rows;
      return Status::OK();
    }
    if (stored.empty()) stored.push_back(AnyStored(file));
    rows_->was_read_[number] = true;
    reading->part = &rows_->PartOf(number);
    auto opened =
        lake::DataFileReader::Open(reading->part->store, reading->part->table, file,
                                   arrow::schema(stored), {}, condition_, &rows_->bytes_read_);
    ARROW_RETURN_NOT_OK(Explained(opened.status(), *reading->part));
    reading->reader = *std::move(opened);
    return Status::OK();
  }

  // A column by which rows can be counted: some writers do not record how many there are.
  std::shared_ptr<arrow::Field> AnyStored(const DataFile& file) const {
    const auto& fields = rows_->schema()->fields();
    return *std::ranges::find_if(
        fields, [&](const auto& field) { return !IsPartition(file, field->name()); });
  }

  Result<std::shared_ptr<arrow::RecordBatch>> NextOf(Reading* reading) {
    int64_t rows = std::min(reading->rows_left, kBatchRows);
    std::shared_ptr<arrow::RecordBatch> stored;
    if (reading->reader != nullptr) {
      auto next = reading->reader->Next();
      ARROW_RETURN_NOT_OK(Explained(next.status(), *reading->part));
      stored = *std::move(next);
      rows = stored == nullptr ? 0 : stored->num_rows();
    }
    reading->rows_left -= std::min(rows, reading->rows_left);
    if (rows == 0) return nullptr;
    rows_->rows_read_ += rows;
    arrow::ArrayVector columns;
    for (const auto& field : fields_) {
      const auto& values = reading->file->partition_values;
      const auto value =
          std::ranges::find_if(values, [&](const auto& one) { return one.first == field->name(); });
      if (value == values.end()) {
        columns.push_back(stored->GetColumnByName(field->name()));
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const auto scalar,
                            lake::ParsePartitionValue(value->second, field->type()));
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), arrow::MakeArrayFromScalar(*scalar, rows));
    }
    return arrow::RecordBatch::Make(arrow::schema(fields_), rows, std::move(columns));
  }

  static Status Explained(const Status& status, const LakeRows::Part& part) {
    if (status.ok() || KindOf(status) != ErrorKind::kGone) return status;
    const int64_t kept = lake::TombstoneRetentionMs(part.snapshot->properties());
    return status.WithMessage(status.message(), ": version ", part.snapshot->version(), " of ",
                              part.table, " needs it. Files of earlier versions are kept for ",
                              FormatMillis(kept), "; `shopstream table verify ", part.table,
                              "` lists missing files of the newest one");
  }

  LakeRows* const rows_;
  const std::vector<DataFile>* const files_;
  const lake::FilePredicate condition_;
  const arrow::FieldVector fields_;
  std::vector<Reading> threads_;
  std::atomic<size_t> next_file_{0};
};

LakeRows::LakeRows(lake::ObjectStore* store, std::string table,
                   std::shared_ptr<const lake::Snapshot> snapshot)
    : row_count_(0) {
  Add(store, std::move(table), std::move(snapshot));
}

void LakeRows::Add(lake::ObjectStore* store, std::string table,
                   std::shared_ptr<const lake::Snapshot> snapshot) {
  const size_t partitions = snapshot->partition_columns().size();
  parts_.push_back({store, std::move(table), std::move(snapshot), counted_.size()});
  counted_.reserve(counted_.size() + static_cast<size_t>(parts_.back().snapshot->file_count()));
  parts_.back().snapshot->VisitFiles([&](const DataFile& file) {
    DataFile& counted = counted_.emplace_back();
    counted.partition_values = file.partition_values;
    counted.rows = file.rows;
    row_count_ =
        row_count_ && file.rows >= 0 ? std::optional(*row_count_ + file.rows) : std::nullopt;
    const size_t values = file.partition_values.size();
    all_counted_ = all_counted_ && row_count_ && values == partitions;
  });
}

const LakeRows::Part& LakeRows::PartOf(size_t file) const {
  size_t i = parts_.size() - 1;
  while (parts_[i].first_file > file) --i;
  return parts_[i];
}

const std::vector<DataFile>& LakeRows::WholeFiles() {
  std::call_once(copied_, [this] {
    for (const Part& part : parts_) {
      std::ranges::move(part.snapshot->Files(), std::back_inserter(whole_));
    }
    was_read_ = std::vector<std::atomic<bool>>(whole_.size());
  });
  return whole_;
}

int LakeRows::MaxThreads() const {
  return static_cast<int>(
      std::clamp<size_t>(counted_.size(), 1, std::numeric_limits<int16_t>::max()));
}

Result<std::unique_ptr<RowScan>> LakeRows::Open(const std::vector<int>& columns, int threads) {
  arrow::FieldVector fields;
  for (const int column : columns) fields.push_back(schema()->field(column));
  // The statistics may show that a file has no row that is asked for.
  const bool counts =
      all_counted_ && condition_.is_all() && std::ranges::all_of(fields, [this](const auto& field) {
        return std::ranges::count(parts_.front().snapshot->partition_columns(), field->name()) > 0;
      });
  return std::make_unique<LakeScan>(this, counts ? &counted_ : &WholeFiles(), std::move(fields),
                                    threads);
}

void LakeRows::Narrow(lake::FilePredicate condition) {
  condition_ = std::move(condition);
  for (auto& was_read : was_read_) was_read = false;
  bytes_read_ = 0;
  rows_read_ = 0;
}

ReadStats LakeRows::stats() const {
  return {
      .files = static_cast<int64_t>(counted_.size()),
      .files_read = std::ranges::count(was_read_, true, [](const auto& one) { return one.load(); }),
      .bytes_read = bytes_read_.load(),
      .rows_read = rows_read_.load()};
}

}  // namespace shopstream::sql
