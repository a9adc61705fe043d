#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/parquet/file_predicate.h"
#include "lake/parquet/parquet_encoding.h"
#include "lake/parquet/value_facts.h"
#include "lake/store/object_store.h"
#include "model/data_file.h"

namespace shopstream::lake {

// The memory that a stream may use, and the pool it comes from.
struct StreamMemory {
  arrow::MemoryPool* pool = arrow::default_memory_pool();  // Borrowed; outlives the stream.
  int64_t bytes = 8 << 20;
};

// Reads the rows of a data file in batches, converted to the table's types. One thread.
class DataFileReader {
 public:
  // `fields` without partition columns, in the wanted order. Row groups whose statistics
  // exclude every row that satisfies `wanted` are skipped; the others are read whole, and callers
  // still filter. `bytes_read` grows by what is read
  // from storage; null: not counted.
  static Result<std::unique_ptr<DataFileReader>> Open(
      ObjectStore* store, const std::string& table_path, const DataFile& file,
      const std::shared_ptr<arrow::Schema>& fields, const StreamMemory& memory,
      const FilePredicate& wanted = {}, std::atomic<int64_t>* bytes_read = nullptr);
  // The same for these row groups alone, ascending.
  static Result<std::unique_ptr<DataFileReader>> OpenRowGroups(
      ObjectStore* store, const std::string& table_path, const DataFile& file,
      const std::shared_ptr<arrow::Schema>& fields, const StreamMemory& memory,
      const std::vector<int>& row_groups, std::atomic<int64_t>* bytes_read = nullptr);
  // Null at the end.
  Result<std::shared_ptr<arrow::RecordBatch>> Next();

  struct RowGroup {
    int index = 0;
    int64_t rows = 0;
  };
  // Those that are read, in this order.
  const std::vector<RowGroup>& row_groups() const { return row_groups_; }

 private:
  // Which row groups of a file to read.
  using Choose = std::function<std::vector<int>(const parquet::FileMetaData&)>;

  DataFileReader() = default;
  static Result<std::unique_ptr<DataFileReader>> OpenWhere(
      ObjectStore* store, const std::string& table_path, const DataFile& file,
      const std::shared_ptr<arrow::Schema>& fields, const StreamMemory& memory,
      const Choose& choose, std::atomic<int64_t>* bytes_read);

  std::string path_;
  std::shared_ptr<arrow::Schema> fields_;
  arrow::MemoryPool* pool_ = nullptr;
  std::vector<RowGroup> row_groups_;
  std::unique_ptr<parquet::arrow::FileReader> parquet_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;  // Declared before what it reads from.
};

// Writes a data file in batches. Nothing of it is visible before Finish, or ever if the writer is
// destroyed without Finish. One thread.
class DataFileWriter {
 public:
  // Encodings are chosen from `sample`, which should have thousands of rows if the file will; its
  // rows are not written. `unbounded`: columns known to have values without a true bound; see
  // Finish.
  static Result<std::unique_ptr<DataFileWriter>> Open(
      ObjectStore* store, const std::string& table_path, const PartitionValues& partition,
      const arrow::RecordBatch& sample, const ColumnPaths& unbounded, const StreamMemory& memory);
  ~DataFileWriter();

  Status Write(const arrow::RecordBatch& rows);
  // The file as the log names it, with statistics. Durable if OK; otherwise it may exist. Nothing,
  // and no file in storage: some column turned out to have no true bound (NaN) after its footer had
  // begun to claim one. In that case write the same rows again, with unbounded(), which is now
  // complete.
  Result<std::optional<DataFile>> Finish();
  const ColumnPaths& unbounded() const { return unbounded_; }
  const std::string& path() const { return file_.path; }  // Relative to the table's root.

 private:
  DataFileWriter() = default;
  Status Annotate(const Status& status) const;
  Status Encode(const arrow::RecordBatch& rows);
  Result<std::string> Statistics() const;

  std::string full_path_;
  DataFile file_;
  int64_t row_group_bytes_ = 0;
  std::unique_ptr<arrow::ProxyMemoryPool> pool_;  // Counts the encoder's memory.
  std::shared_ptr<arrow::io::OutputStream> sink_;
  std::unique_ptr<parquet::arrow::FileWriter> parquet_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<ValueFacts> values_;  // One per column.
  ColumnPaths unbounded_;
  bool in_vain_ = false;  // An unbounded column was found too late.
};

}  // namespace shopstream::lake
