#include "lake/upkeep/row_removal.h"

#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/format.h"
#include "base/log.h"
#include "lake/delta/delta_schema.h"
#include "lake/delta/retention.h"
#include "lake/parquet/data_file_stream.h"
#include "lake/parquet/partition_path.h"

namespace shopstream::lake {
namespace {

// Enough rows for the writer to choose a column's encoding.
constexpr int64_t kKeptSliceRows = 1 << 16;
// A table that leaves a commit less time than this cannot have its files rewritten.
constexpr Millis kLeastTimeToWrite{30'000};

// The rows of a file that go: by row group, those that could have some.
using ChosenRows = std::map<int, std::vector<bool>>;

class Remover {
 public:
  Remover(Table* table, const Snapshot& snapshot, const RowChoice& choice,
          const RemovalOptions& options)
      : table_(table),
        snapshot_(snapshot),
        choice_(choice),
        options_(options),
        stored_(StoredSchema(*snapshot.schema(), snapshot.partition_columns())) {}

  Result<int64_t> Count() {
    ARROW_RETURN_NOT_OK(Search());
    return removal_.rows;
  }

  Result<Removal> Run() {
    ARROW_RETURN_NOT_OK(CheckTimeToCommit(snapshot_.properties(), kLeastTimeToWrite));
    removal_.schema = snapshot_.schema();
    ARROW_RETURN_NOT_OK(Search());
    const Status status = WriteAll();
    if (status.ok()) return std::move(removal_);
    Discard(table_, removal_);
    return status;
  }

 private:
  Status Search() {
    std::vector<DataFile> files;
    snapshot_.VisitFiles([&](const DataFile& file) {
      if (choice_.outline.MayMatch(file)) files.push_back(file);
    });
    std::ranges::sort(files, {}, &DataFile::path);
    removal_.files_searched = std::ssize(files);
    for (size_t i = 0; i < files.size(); ++i) {
      ARROW_RETURN_NOT_OK(Continue(static_cast<int64_t>(i), std::ssize(files)));
      ARROW_ASSIGN_OR_RAISE(ChosenRows chosen, Choose(files[i]));
      if (chosen.empty()) continue;
      removal_.removes.push_back(std::move(files[i]));
      chosen_.push_back(std::move(chosen));
    }
    return Status::OK();
  }

  Status WriteAll() {
    removal_.written_since = BootClock::now();
    for (size_t i = 0; i < chosen_.size(); ++i) {
      ARROW_RETURN_NOT_OK(Continue(static_cast<int64_t>(i), std::ssize(chosen_)));
      ARROW_ASSIGN_OR_RAISE(auto kept, WriteKept(removal_.removes[i], chosen_[i]));
      if (kept) removal_.adds.push_back(*std::move(kept));
    }
    if (removal_.adds.empty()) removal_.written_since.reset();
    return Status::OK();
  }

  Status Continue(int64_t files, int64_t of) const {
    if (options_.stop && options_.stop()) return Status::Cancelled("stopped");
    if (options_.progress) options_.progress(table_->path(), files, of);
    return Status::OK();
  }

  // What `choose` sees of a file: columns that are stored in it, and where partition columns go.
  arrow::FieldVector FieldsToChoose() const {
    arrow::FieldVector fields;
    for (const auto& field : snapshot_.schema()->fields()) {
      if (std::ranges::count(choice_.columns, field->name()) > 0) fields.push_back(field);
    }
    return fields;
  }

  Result<ChosenRows> Choose(const DataFile& file) {
    const arrow::FieldVector fields = FieldsToChoose();
    arrow::FieldVector stored = StoredFields(fields);
    std::erase_if(stored, [&](const auto& field) { return IsPartitionColumn(field->name()); });
    if (stored.empty()) stored.push_back(stored_->field(0));  // By which rows are counted.
    ARROW_ASSIGN_OR_RAISE(
        const auto reader,
        DataFileReader::Open(table_->store(), table_->path(), file, arrow::schema(stored),
                             {.bytes = options_.memory_bytes / 4}, choice_.outline));
    std::vector<bool> goes;
    for (;;) {
      if (options_.stop && options_.stop()) return Status::Cancelled("stopped");
      ARROW_ASSIGN_OR_RAISE(const auto rows, reader->Next());
      if (rows == nullptr) break;
      ARROW_ASSIGN_OR_RAISE(const auto whole, WithPartition(file, fields, *rows));
      ARROW_ASSIGN_OR_RAISE(const auto some, choice_.choose(file, *whole));
      goes.insert(goes.end(), some.begin(), some.end());
    }
    const auto count = std::ranges::count(goes, true);
    removal_.rows += count;
    ChosenRows chosen;
    if (count == 0) return chosen;
    auto next = goes.begin();
    for (const DataFileReader::RowGroup& group : reader->row_groups()) {
      if (goes.end() - next < group.rows) return OtherCount(file, std::ssize(goes));
      chosen[group.index].assign(next, next + group.rows);
      next += group.rows;
    }
    return chosen;
  }

  bool IsPartitionColumn(const std::string& name) const {
    return std::ranges::count(snapshot_.partition_columns(), name) > 0;
  }

  Result<std::shared_ptr<arrow::RecordBatch>> WithPartition(
      const DataFile& file, const arrow::FieldVector& fields,
      const arrow::RecordBatch& stored) const {
    arrow::ArrayVector columns;
    for (const auto& field : fields) {
      if (const auto read = stored.GetColumnByName(field->name())) {
        columns.push_back(read);
        continue;
      }
      // A column that no file stores, or one of a partition.
      const auto value = std::ranges::find_if(
          file.partition_values, [&](const auto& one) { return one.first == field->name(); });
      const auto text = value == file.partition_values.end() ? std::nullopt : value->second;
      ARROW_ASSIGN_OR_RAISE(const auto scalar, ParsePartitionValue(text, field->type()));
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(),
                            arrow::MakeArrayFromScalar(*scalar, stored.num_rows()));
    }
    return arrow::RecordBatch::Make(arrow::schema(fields), stored.num_rows(), std::move(columns));
  }

  Status OtherCount(const DataFile& file, int64_t rows) const {
    return Status::Invalid(table_->path(), "/", file.path, " has ", Counted(rows, "row"),
                           " where the log says ", file.rows,
                           ": it is not rewritten; see `shopstream table verify`");
  }

  // Nothing: no row is left.
  Result<std::optional<DataFile>> WriteKept(const DataFile& file, const ChosenRows& chosen) {
    ColumnPaths unbounded;
    for (;;) {
      bool in_vain = false;
      ARROW_ASSIGN_OR_RAISE(auto written, TryWriteKept(file, chosen, &unbounded, &in_vain));
      if (!in_vain) return written;
    }
  }

  // `in_vain`: it must be written again, with what `unbounded` has by then.
  Result<std::optional<DataFile>> TryWriteKept(const DataFile& file, const ChosenRows& chosen,
                                               ColumnPaths* unbounded, bool* in_vain) {
    ARROW_ASSIGN_OR_RAISE(const auto reader,
                          DataFileReader::Open(table_->store(), table_->path(), file, stored_,
                                               {.bytes = options_.memory_bytes / 8}));
    KeptRows kept(reader.get(), chosen, options_.memory_bytes / 8);
    std::unique_ptr<DataFileWriter> writer;
    for (;;) {
      if (options_.stop && options_.stop()) return Status::Cancelled("stopped");
      ARROW_ASSIGN_OR_RAISE(const auto rows, kept.Next());
      if (rows == nullptr) break;
      if (writer == nullptr) {
        ARROW_ASSIGN_OR_RAISE(
            writer, DataFileWriter::Open(table_->store(), table_->path(), file.partition_values,
                                         *rows, *unbounded, {.bytes = options_.memory_bytes / 4}));
      }
      ARROW_RETURN_NOT_OK(writer->Write(*rows));
    }
    if (file.rows >= 0 && kept.rows_read() != file.rows) return OtherCount(file, kept.rows_read());
    if (writer == nullptr) return std::nullopt;
    auto written = writer->Finish();
    if (!written.ok()) {  // It may be there.
      Removal unfinished;
      unfinished.adds.emplace_back().path = writer->path();
      Discard(table_, unfinished);
      return written.status();
    }
    *in_vain = !written->has_value();
    *unbounded = writer->unbounded();
    // The rows are no newer than before.
    if (*written) (*written)->modified_ms = file.modified_ms;
    return *std::move(written);
  }

  // The rows of a file that stay, in batches of a useful size.
  class KeptRows {
   public:
    KeptRows(DataFileReader* reader, const ChosenRows& chosen, int64_t bytes)
        : reader_(reader), bytes_(bytes) {
      for (const DataFileReader::RowGroup& group : reader->row_groups()) {
        const auto found = chosen.find(group.index);
        if (found == chosen.end()) {
          goes_.resize(goes_.size() + static_cast<size_t>(group.rows));
        } else {
          goes_.insert(goes_.end(), found->second.begin(), found->second.end());
        }
      }
    }

    // Null at the end.
    Result<std::shared_ptr<arrow::RecordBatch>> Next() {
      arrow::RecordBatchVector parts;
      int64_t rows = 0;
      int64_t bytes = 0;
      while (rows < kKeptSliceRows && bytes < bytes_) {
        ARROW_ASSIGN_OR_RAISE(const auto read, reader_->Next());
        if (read == nullptr) break;
        ARROW_ASSIGN_OR_RAISE(auto kept, Keep(read));
        if (kept->num_rows() == 0) continue;
        rows += kept->num_rows();
        bytes += arrow::util::TotalBufferSize(*kept);
        parts.push_back(std::move(kept));
      }
      if (parts.empty()) return nullptr;
      if (parts.size() == 1) return parts[0];
      return arrow::ConcatenateRecordBatches(parts);
    }
    int64_t rows_read() const { return rows_read_; }

   private:
    Result<std::shared_ptr<arrow::RecordBatch>> Keep(
        const std::shared_ptr<arrow::RecordBatch>& rows) {
      arrow::BooleanBuilder stays;
      for (int64_t row = 0; row < rows->num_rows(); ++row) {
        ARROW_RETURN_NOT_OK(stays.Append(!goes_[static_cast<size_t>(rows_read_ + row)]));
      }
      rows_read_ += rows->num_rows();
      ARROW_ASSIGN_OR_RAISE(const auto filter, stays.Finish());
      ARROW_ASSIGN_OR_RAISE(const auto kept, arrow::compute::Filter(rows, filter));
      return kept.record_batch();
    }

    DataFileReader* const reader_;
    const int64_t bytes_;
    std::vector<bool> goes_;  // Of the whole file.
    int64_t rows_read_ = 0;
  };

  Table* const table_;
  const Snapshot& snapshot_;
  const RowChoice& choice_;
  const RemovalOptions& options_;
  const std::shared_ptr<arrow::Schema> stored_;
  Removal removal_;
  std::vector<ChosenRows> chosen_;  // Of each of removal_.removes.
};

}  // namespace

Changes Removal::ToChanges() const {
  Changes changes;
  changes.adds = adds;
  changes.removes = removes;
  changes.written_since = written_since;
  changes.growth = TableGrowth{.columns = schema, .properties = {}};
  return changes;
}

Result<Removal> PlanRemoval(Table* table, const Snapshot& snapshot, const RowChoice& choice,
                            const RemovalOptions& options) {
  return Remover(table, snapshot, choice, options).Run();
}

Result<int64_t> CountChosen(Table* table, const Snapshot& snapshot, const RowChoice& choice,
                            const RemovalOptions& options) {
  return Remover(table, snapshot, choice, options).Count();
}

void Discard(Table* table, const Removal& removal) {
  for (const DataFile& file : removal.adds) {
    const Status status = table->store()->Delete(table->path() + "/" + file.path);
    if (status.ok()) continue;
    Log::Debug("left to vacuum: {}", status.message());
    return;
  }
}

}  // namespace shopstream::lake
