#include "lake/parquet/parquet_file.h"

#include <arrow/io/memory.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_reader.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "lake/parquet/column_statistics.h"
#include "lake/parquet/parquet_encoding.h"
#include "lake/parquet/partition_path.h"
#include "lake/parquet/stored_column.h"
#include "lake/parquet/value_facts.h"
#include "lake/store/store_input.h"
#include "lake/store/upload_queue.h"

namespace shopstream::lake {
namespace {

struct EncodedFile {
  std::shared_ptr<arrow::Buffer> content;
  std::string statistics;
};

// Writes the rows as a Parquet file and returns its footer.
Result<std::shared_ptr<parquet::FileMetaData>> EncodeRows(
    const Selection& selection, const Encodings& encodings, const ColumnPaths& unbounded,
    const std::shared_ptr<arrow::io::OutputStream>& sink) {
  arrow::MemoryPool* const pool = arrow::default_memory_pool();
  ARROW_ASSIGN_OR_RAISE(
      const auto writer,
      parquet::arrow::FileWriter::Open(*selection.rows().schema(), pool, sink,
                                       encodings.Properties(selection.count(), unbounded, pool)));
  for (int64_t begin = 0; begin < selection.count(); begin += kRowGroupRows) {
    const int64_t count = std::min(kRowGroupRows, selection.count() - begin);
    ARROW_RETURN_NOT_OK(writer->NewRowGroup());
    for (int i = 0; i < selection.rows().num_columns(); ++i) {
      ARROW_ASSIGN_OR_RAISE(const auto column, selection.Column(i, begin, count));
      ARROW_RETURN_NOT_OK(writer->WriteColumnChunk(*column));
    }
  }
  ARROW_RETURN_NOT_OK(writer->Close());
  return writer->metadata();
}

// Adds what the footer lacks: the bounds of long texts, and those it must not contain.
Status FillFromValues(const Selection& selection, std::vector<ColumnFacts>* columns) {
  std::string looked_at;
  for (const ColumnFacts& column : *columns) {
    const std::string& name = column.path[0];
    if (name == looked_at || IsBounded(column, selection.count())) continue;
    looked_at = name;
    const int index = selection.rows().schema()->GetFieldIndex(name);
    ValueFacts values(*selection.rows().schema()->field(index));
    for (int64_t begin = 0; begin < selection.count(); begin += kRowGroupRows) {
      const int64_t count = std::min(kRowGroupRows, selection.count() - begin);
      ARROW_ASSIGN_OR_RAISE(const auto part, selection.Column(index, begin, count));
      ARROW_RETURN_NOT_OK(values.Add(*part));
    }
    ReplaceFacts(values.columns(), columns);
  }
  return Status::OK();
}

Result<EncodedFile> Encode(const Selection& selection, const Encodings& encodings) {
  ColumnPaths unbounded = MisleadingColumns(selection);
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(auto sink,
                          arrow::io::BufferOutputStream::Create(selection.count() * 32 + 4096));
    ARROW_ASSIGN_OR_RAISE(const auto footer, EncodeRows(selection, encodings, unbounded, sink));
    auto columns = ColumnsWithStatistics(*selection.rows().schema());
    ARROW_RETURN_NOT_OK(FillFromFooter(*footer, &columns));
    ARROW_RETURN_NOT_OK(FillFromValues(selection, &columns));
    // Rarely, a value without a true bound (a date in the year 10000) is found only now.
    bool again = AddUnbounded(columns, selection.count(), &unbounded);
    again |= AddZeroColumns(*footer, &unbounded);
    if (again) continue;
    EncodedFile file;
    file.statistics = StatisticsJson(selection.count(), columns, *selection.rows().schema());
    ARROW_ASSIGN_OR_RAISE(file.content, sink->Finish());
    return file;
  }
}

Histogram& EncodeSeconds() {
  static Histogram histogram("shopstream_lake_encode_seconds",
                             "Time to encode the rows of one data file as Parquet");
  return histogram;
}

using Putter = std::function<Status(const std::string&, const std::shared_ptr<arrow::Buffer>&)>;

Result<DataFile> Write(const Putter& put, const std::string& table_path,
                       const PartitionValues& partition, const Selection& selection,
                       const Encodings& encodings) {
  DataFile file;
  file.path = NewDataFilePath(partition);
  file.partition_values = partition;
  file.rows = selection.count();
  const std::string path = table_path + "/" + file.path;
  const BootClock::time_point begun = BootClock::now();
  auto encoded = Encode(selection, encodings);
  EncodeSeconds().Observe(BootClock::now() - begun);
  if (!encoded.ok()) {
    return encoded.status().WithMessage("cannot encode ", path, ": ", encoded.status().message());
  }
  file.size_bytes = encoded->content->size();
  file.statistics = std::move(encoded->statistics);
  ARROW_RETURN_NOT_OK(put(path, encoded->content));
  file.modified_ms = WallClockMillis();
  return file;
}

Putter PutInto(ObjectStore* store) {
  return [store](const std::string& path, const std::shared_ptr<arrow::Buffer>& content) {
    return store->Put(path, *content);
  };
}

// A data file open for reading: its Parquet columns and those stored only in the log.
class ParquetTableReader {
 public:
  static Result<ParquetTableReader> Open(ObjectStore* store, const std::string& path,
                                         const DataFile& file) {
    ARROW_ASSIGN_OR_RAISE(auto input, store->OpenInput(path));
    ARROW_ASSIGN_OR_RAISE(auto parquet, OpenDataFile(std::move(input)));
    return ParquetTableReader(file, std::move(parquet));
  }

  Result<std::shared_ptr<arrow::Table>> Read(const arrow::FieldVector& fields) {
    const int64_t rows = parquet_->parquet_reader()->metadata()->num_rows();
    ARROW_ASSIGN_OR_RAISE(const auto stored,
                          parquet_->ReadTable(LeavesOf(*parquet_->parquet_reader()->metadata(),
                                                       fields, file_.partition_values)));
    arrow::ChunkedArrayVector columns;
    for (const auto& field : fields) {
      const int index = StoredIndex(stored->schema()->fields(), field->name());
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(),
                            ColumnOf(*field, index < 0 ? nullptr : stored->column(index),
                                     file_.partition_values, rows));
    }
    return arrow::Table::Make(arrow::schema(fields), std::move(columns), rows);
  }

 private:
  ParquetTableReader(const DataFile& file, std::unique_ptr<parquet::arrow::FileReader> parquet)
      : file_(file), parquet_(std::move(parquet)) {}

  const DataFile& file_;
  std::unique_ptr<parquet::arrow::FileReader> parquet_;
};

}  // namespace

Result<DataFile> WriteDataFile(ObjectStore* store, const std::string& table_path,
                               const PartitionValues& partition,
                               const std::shared_ptr<arrow::RecordBatch>& rows) {
  const Selection selection(*rows);
  ARROW_ASSIGN_OR_RAISE(const Encodings encodings, Encodings::For(selection));
  return Write(PutInto(store), table_path, partition, selection, encodings);
}

Result<DataFile> WriteDataFile(ObjectStore* store, const std::string& table_path,
                               const PartitionValues& partition,
                               const std::shared_ptr<arrow::RecordBatch>& rows,
                               const std::vector<int32_t>& selected) {
  const Selection selection(*rows, selected);
  ARROW_ASSIGN_OR_RAISE(const Encodings encodings, Encodings::For(selection));
  return Write(PutInto(store), table_path, partition, selection, encodings);
}

Result<std::vector<DataFile>> WriteDataFiles(ObjectStore* store, const std::string& table_path,
                                             const std::shared_ptr<arrow::RecordBatch>& rows,
                                             const std::vector<PartitionRows>& partitions) {
  if (partitions.empty()) return std::vector<DataFile>();
  ARROW_ASSIGN_OR_RAISE(const Encodings encodings, Encodings::For(Selection(*rows)));
  std::vector<DataFile> files(partitions.size());
  std::atomic<size_t> next = 0;
  std::atomic<bool> failed = false;
  const int threads = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1,
                                 std::min(store->ParallelPuts(), static_cast<int>(files.size())));
  const auto write_some = [&]() -> Status {
    UploadQueue uploads(store, store->ParallelPuts() / threads);
    const Putter put = [&](const std::string& path, const std::shared_ptr<arrow::Buffer>& content) {
      return uploads.Put(path, content);
    };
    for (size_t i = next++; i < files.size() && !failed; i = next++) {
      ARROW_ASSIGN_OR_RAISE(files[i], Write(put, table_path, partitions[i].values,
                                            Selection(*rows, partitions[i].rows), encodings));
    }
    return uploads.Finish();
  };
  const auto work = [&]() -> Status {
    try {
      const Status status = write_some();
      if (!status.ok()) failed = true;
      return status;
    } catch (const std::bad_alloc&) {
      failed = true;
      return Status::OutOfMemory("no room to write the files of ", table_path);
    }
  };
  std::vector<std::future<Status>> others;
  try {
    for (int i = 1; i < threads; ++i) others.push_back(std::async(std::launch::async, work));
  } catch (const std::system_error& error) {
    Log::Debug("{} files are written by fewer threads: {}", files.size(), error.what());
  }
  Status status = work();
  for (auto& other : others) status &= other.get();
  ARROW_RETURN_NOT_OK(status);
  return files;
}

Result<std::shared_ptr<arrow::Table>> ReadDataFile(ObjectStore* store,
                                                   const std::string& table_path,
                                                   const DataFile& file,
                                                   const std::shared_ptr<arrow::Schema>& schema,
                                                   const std::vector<std::string>& columns) {
  arrow::FieldVector fields;
  for (const std::string& column : columns) {
    auto field = schema->GetFieldByName(column);
    if (field == nullptr) {
      return Status::Invalid("table ", table_path, " has no column ", column);
    }
    fields.push_back(std::move(field));
  }
  if (columns.empty()) fields = schema->fields();
  const std::string path = table_path + "/" + file.path;
  const auto read = [&]() -> Result<std::shared_ptr<arrow::Table>> {
    ARROW_ASSIGN_OR_RAISE(ParquetTableReader reader, ParquetTableReader::Open(store, path, file));
    return reader.Read(fields);
  };
  auto table = read();
  if (table.ok()) return table;
  return CannotRead(path, table.status());
}

}  // namespace shopstream::lake
