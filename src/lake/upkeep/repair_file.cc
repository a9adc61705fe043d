#include "lake/upkeep/repair_file.h"

#include <arrow/array.h>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/util/checked_cast.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/log.h"
#include "lake/delta/delta_schema.h"
#include "lake/parquet/column_statistics.h"
#include "lake/parquet/data_file_stream.h"
#include "lake/parquet/java_path.h"
#include "lake/parquet/partition_path.h"
#include "lake/parquet/stored_column.h"
#include "lake/parquet/value_facts.h"
#include "lake/store/store_input.h"
#include "model/calendar.h"

namespace shopstream::lake {
namespace {

using arrow::internal::checked_cast;

constexpr int64_t kCopyBytes = 4 << 20;

// "2025-10-24", with a year from 1 to 9999.
bool IsDateOfEveryReader(const std::string& text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  for (const size_t i : {0, 1, 2, 3, 5, 6, 8, 9}) {
    if (text[i] < '0' || text[i] > '9') return false;
  }
  const int year = std::stoi(text.substr(0, 4));
  const auto month = static_cast<unsigned>(std::stoi(text.substr(5, 2)));
  const auto day = static_cast<unsigned>(std::stoi(text.substr(8, 2)));
  return year >= 1 && std::chrono::year_month_day(std::chrono::year(year),
                                                  std::chrono::month(month), std::chrono::day(day))
                          .ok();
}

bool IsRefusedDate(const std::string& column, const std::optional<std::string>& value,
                   const arrow::Schema& schema) {
  const auto field = schema.GetFieldByName(column);
  return field != nullptr && field->type()->id() == arrow::Type::DATE32 && value &&
         !IsDateOfEveryReader(*value);
}

bool HasRefusedDate(const DataFile& file, const arrow::Schema& schema) {
  return std::any_of(
      file.partition_values.begin(), file.partition_values.end(),
      [&schema](const auto& value) { return IsRefusedDate(value.first, value.second, schema); });
}

// The top-level columns that hold a floating column whose footer has bounds.
Result<std::set<std::string>> BoundedFloats(ObjectStore* store, const std::string& path) {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  ARROW_ASSIGN_OR_RAISE(auto input, store->OpenInput(path));
  const auto reader = parquet::ParquetFileReader::Open(std::move(input));
  const auto metadata = reader->metadata();
  std::set<std::string> columns;
  for (int leaf = 0; leaf < metadata->num_columns(); ++leaf) {
    const auto type = metadata->schema()->Column(leaf)->physical_type();
    if (type != parquet::Type::FLOAT && type != parquet::Type::DOUBLE) continue;
    for (int group = 0; group < metadata->num_row_groups(); ++group) {
      const auto statistics = metadata->RowGroup(group)->ColumnChunk(leaf)->statistics();
      if (statistics == nullptr || !statistics->HasMinMax()) continue;
      columns.insert(metadata->schema()->GetColumnRoot(leaf)->name());
      break;
    }
  }
  return columns;
  END_PARQUET_CATCH_EXCEPTIONS
}

// Days since 1970; nothing: not a day that can name a partition.
using Day = std::optional<int32_t>;

Day DayOf(const arrow::TimestampArray& times, int64_t row) {
  if (times.IsNull(row)) return std::nullopt;
  const int64_t micros = times.Value(row);
  const int64_t day = FloorDiv(micros, kMicrosPerDay);
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  const int year = static_cast<int>(date.year());
  return year < 1 || year > 9999 ? Day() : Day(static_cast<int32_t>(day));
}

// Rewrites the rows of one file, one day at a time.
class Rewriter {
 public:
  Rewriter(ObjectStore* store, const std::string& table_path, const DataFile& file,
           const Snapshot& snapshot, const RewriteOptions& options)
      : store_(store),
        table_path_(table_path),
        file_(file),
        schema_(*snapshot.schema()),
        stored_(StoredSchema(*snapshot.schema(), snapshot.partition_columns())),
        options_(options),
        by_day_(HasRefusedDate(file, schema_) && HasDayColumn()) {}

  Result<std::vector<DataFile>> Run() {
    std::vector<DataFile> written;
    const auto write_all = [&]() -> Status {
      ARROW_ASSIGN_OR_RAISE(const std::set<Day> days, Days());
      int64_t rows = 0;
      for (const Day& day : days) {
        ARROW_ASSIGN_OR_RAISE(written.emplace_back(), Write(day));
        rows += written.back().rows;
      }
      if (file_.rows >= 0 && rows != file_.rows) {
        return Status::Invalid(table_path_, "/", file_.path, " has ", Counted(rows, "row"),
                               " where the log says ", file_.rows, ": it is not repaired");
      }
      return Status::OK();
    };
    const Status status = write_all();
    if (status.ok()) return written;
    for (const DataFile& file : written) Discard(file.path);
    return status;
  }

 private:
  bool HasDayColumn() const {
    const auto field = stored_->GetFieldByName(options_.day_column);
    return field != nullptr && field->type()->id() == arrow::Type::TIMESTAMP;
  }

  Result<std::unique_ptr<DataFileReader>> OpenReader(const std::shared_ptr<arrow::Schema>& fields) {
    return DataFileReader::Open(store_, table_path_, file_, fields,
                                {options_.pool, options_.memory_bytes / 4});
  }

  Result<std::set<Day>> Days() {
    if (!by_day_) return std::set<Day>{Day()};
    std::set<Day> days;
    ARROW_ASSIGN_OR_RAISE(
        const auto reader,
        OpenReader(arrow::schema({stored_->GetFieldByName(options_.day_column)})));
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(const auto rows, reader->Next());
      if (rows == nullptr) break;
      const auto& times = checked_cast<const arrow::TimestampArray&>(*rows->column(0));
      for (int64_t i = 0; i < times.length(); ++i) days.insert(DayOf(times, i));
    }
    if (days.empty()) days.insert(Day());
    return days;
  }

  Result<PartitionValues> PartitionOf(const Day& day) {
    PartitionValues partition = file_.partition_values;
    for (auto& [column, value] : partition) {
      if (!IsRefusedDate(column, value, schema_)) continue;
      value.reset();
      if (!day) continue;
      ARROW_ASSIGN_OR_RAISE(value, FormatPartitionValue(arrow::Date32Scalar(*day)));
    }
    return partition;
  }

  // The rows of that day, in their original order.
  arrow::RecordBatchVector RowsOf(const Day& day, const std::shared_ptr<arrow::RecordBatch>& rows) {
    if (!by_day_) return {rows};
    const auto& times =
        checked_cast<const arrow::TimestampArray&>(*rows->GetColumnByName(options_.day_column));
    arrow::RecordBatchVector slices;
    for (int64_t begin = 0; begin < rows->num_rows();) {
      int64_t end = begin + 1;
      const Day that = DayOf(times, begin);
      while (end < rows->num_rows() && DayOf(times, end) == that) ++end;
      if (that == day) slices.push_back(rows->Slice(begin, end - begin));
      begin = end;
    }
    return slices;
  }

  Result<DataFile> Write(const Day& day) {
    ARROW_ASSIGN_OR_RAISE(const PartitionValues partition, PartitionOf(day));
    ColumnPaths unbounded;
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(auto written, TryWrite(day, partition, &unbounded));
      if (written) return *std::move(written);
    }
  }

  // Nothing: it must be written again, with the columns that `unbounded` has by then.
  Result<std::optional<DataFile>> TryWrite(const Day& day, const PartitionValues& partition,
                                           ColumnPaths* unbounded) {
    std::unique_ptr<DataFileWriter> writer;
    const auto open = [&](const arrow::RecordBatch& sample) {
      return DataFileWriter::Open(store_, table_path_, partition, sample, *unbounded,
                                  {options_.pool, options_.memory_bytes / 4})
          .Value(&writer);
    };
    const auto copy = [&]() -> Result<std::optional<DataFile>> {
      ARROW_ASSIGN_OR_RAISE(const auto reader, OpenReader(stored_));
      for (;;) {
        if (options_.stop && options_.stop()) return Status::Cancelled("stopped");
        ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
        if (batch == nullptr) break;
        for (const auto& rows : RowsOf(day, batch)) {
          if (writer == nullptr) ARROW_RETURN_NOT_OK(open(*rows));
          ARROW_RETURN_NOT_OK(writer->Write(*rows));
        }
      }
      if (writer == nullptr) {
        ARROW_ASSIGN_OR_RAISE(const auto none, arrow::RecordBatch::MakeEmpty(stored_));
        ARROW_RETURN_NOT_OK(open(*none));
      }
      ARROW_ASSIGN_OR_RAISE(auto written, writer->Finish());
      *unbounded = writer->unbounded();
      if (written) written->modified_ms = file_.modified_ms;  // Its rows are no newer than before.
      return written;
    };
    auto written = copy();
    // A failed Finish may have left the file.
    if (!written.ok() && writer != nullptr) Discard(writer->path());
    return written;
  }

  void Discard(const std::string& path) {
    const Status status = store_->Delete(table_path_ + "/" + path);
    if (!status.ok()) Log::Debug("left to vacuum: {}", status.message());
  }

  ObjectStore* const store_;
  const std::string& table_path_;
  const DataFile& file_;
  const arrow::Schema& schema_;
  const std::shared_ptr<arrow::Schema> stored_;
  const RewriteOptions& options_;
  const bool by_day_;
};

}  // namespace

std::string RepairNeeds::Text() const {
  std::string text;
  const auto add = [&text](bool needed, const char* name) {
    if (needed) text += (text.empty() ? "" : ", ") + std::string(name);
  };
  add(path, "path");
  add(partition, "partition");
  add(statistics, "statistics");
  add(footer, "footer");
  return text;
}

RepairNeeds NeedsByLog(const AddFile& add, const Snapshot& snapshot) {
  RepairNeeds needs;
  needs.path = !SparkRecognises(add.log_path);
  needs.partition = HasRefusedDate(add.file, *snapshot.schema());
  needs.statistics =
      !HasSoundForm(add.file.statistics, *snapshot.schema(), add.file.partition_values);
  return needs;
}

Result<bool> FooterMisleads(ObjectStore* store, const std::string& table_path, const DataFile& file,
                            const Snapshot& snapshot) {
  const std::string path = table_path + "/" + file.path;
  auto bounded = BoundedFloats(store, path);
  if (!bounded.ok()) {
    return CannotRead(path, bounded.status());
  }
  const auto stored = StoredSchema(*snapshot.schema(), snapshot.partition_columns());
  arrow::FieldVector fields;
  std::vector<ValueFacts> facts;
  for (const auto& field : stored->fields()) {
    if (std::none_of(bounded->begin(), bounded->end(), [&](const std::string& column) {
          return EqualButForCase(column, field->name());
        })) {
      continue;
    }
    fields.push_back(field);
    facts.emplace_back(*field,
                       [](const arrow::DataType& type) { return arrow::is_floating(type.id()); });
  }
  if (fields.empty()) return false;
  ARROW_ASSIGN_OR_RAISE(
      const auto reader,
      DataFileReader::Open(store, table_path, file, arrow::schema(fields), StreamMemory()));
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto rows, reader->Next());
    if (rows == nullptr) return false;
    for (size_t i = 0; i < facts.size(); ++i) {
      ARROW_RETURN_NOT_OK(facts[i].Add(*rows->column(static_cast<int>(i))));
      const auto& columns = facts[i].columns();
      if (std::any_of(columns.begin(), columns.end(),
                      [](const ColumnFacts& column) { return column.has_nan; })) {
        return true;
      }
    }
  }
}

Result<DataFile> CopyDataFile(ObjectStore* store, const std::string& table_path,
                              const DataFile& file) {
  DataFile copy = file;
  copy.path = NewDataFilePath(file.partition_values);
  const std::string target = table_path + "/" + copy.path;
  const auto write = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto input, store->OpenInput(table_path + "/" + file.path));
    ARROW_ASSIGN_OR_RAISE(const int64_t size, input->GetSize());
    if (size != file.size_bytes) {
      return Status::Invalid(table_path, "/", file.path, " has ", size,
                             " bytes where the log says ", file.size_bytes);
    }
    ARROW_ASSIGN_OR_RAISE(const auto output, store->OpenOutput(target));
    for (int64_t at = 0; at < size;) {
      ARROW_ASSIGN_OR_RAISE(const auto piece, input->ReadAt(at, std::min(kCopyBytes, size - at)));
      if (piece->size() == 0) return Corrupt(file.path, " ends after ", at, " bytes");
      ARROW_RETURN_NOT_OK(output->Write(piece));
      at += piece->size();
    }
    return output->Close();
  };
  const Status status = write();
  if (status.ok()) return copy;
  const Status deleted = store->Delete(target);
  if (!deleted.ok()) Log::Debug("left to vacuum: {}", deleted.message());
  return status;
}

Result<std::vector<DataFile>> RewriteDataFile(ObjectStore* store, const std::string& table_path,
                                              const DataFile& file, const Snapshot& snapshot,
                                              const RewriteOptions& options) {
  return Rewriter(store, table_path, file, snapshot, options).Run();
}

}  // namespace shopstream::lake
