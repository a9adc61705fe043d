#include "lake/parquet/data_file_stream.h"

#include <arrow/io/memory.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error_kind.h"
#include "lake/parquet/column_statistics.h"
#include "lake/parquet/parquet_encoding.h"
#include "lake/parquet/partition_path.h"
#include "lake/parquet/stored_column.h"
#include "lake/store/store_input.h"

namespace shopstream::lake {
namespace {

constexpr int64_t kMaxBatchRows = 1 << 16;
constexpr int64_t kLeastReadBytes = 64 << 10;
constexpr int64_t kMostReadBytes = 1 << 20;
// For a value of any type: its offset or the value, its validity, and the decoder's copy.
constexpr int64_t kBytesPerValue = 16;

// Upper bound of a row's decoded bytes according to the file's own sizes. Dictionaries may hide
// more, but no value larger than a page.
int64_t RowBytes(const parquet::FileMetaData& file) {
  int64_t most = 0;
  for (int i = 0; i < file.num_row_groups(); ++i) {
    const auto group = file.RowGroup(i);
    most = std::max(most, group->total_byte_size() / std::max<int64_t>(group->num_rows(), 1));
  }
  return std::max<int64_t>(2 * most + file.num_columns() * kBytesPerValue, 1);
}

// Reads a small file in one request to the object store, and a larger one in pieces, one per column
// at a time.
Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenBuffered(
    ObjectStore* store, const std::string& path, const DataFile& file, const StreamMemory& memory,
    std::atomic<int64_t>* bytes_read, parquet::ReaderProperties* properties) {
  ARROW_ASSIGN_OR_RAISE(auto input, store->OpenInput(path));
  if (bytes_read != nullptr) input = CountReads(std::move(input), bytes_read);
  ARROW_ASSIGN_OR_RAISE(const int64_t size, input->GetSize());
  if (size != file.size_bytes) {
    return Status::Invalid("it has ", size, " bytes where the log says ", file.size_bytes);
  }
  if (size > memory.bytes / 2) {
    properties->enable_buffered_stream();
    return input;
  }
  ARROW_ASSIGN_OR_RAISE(auto content, arrow::AllocateResizableBuffer(size, memory.pool));
  ARROW_ASSIGN_OR_RAISE(const int64_t got, input->ReadAt(0, size, content->mutable_data()));
  if (got != size) return Corrupt("it ends after ", got, " of ", size, " bytes");
  return std::make_shared<arrow::io::BufferReader>(
      std::shared_ptr<arrow::Buffer>(std::move(content)));
}

// Types whose footers may hide a NaN, omit long text, or have a bound that no text can represent.
bool ShowsInValuesOnly(const arrow::DataType& type) {
  return arrow::is_floating(type.id()) || type.id() == arrow::Type::STRING ||
         type.id() == arrow::Type::DATE32 || type.id() == arrow::Type::TIMESTAMP;
}

// Spark's LEGACY mode stores days before 1582-10-15, and times before 1900, in the Julian calendar.
// Keys in the footer mark such files (DataSourceUtils.datetimeRebaseSpec and int96RebaseSpec), and
// Spark converts their values. Our files have no such keys, so readers would use the copied values
// unconverted. `leaves`: the columns that are read.
Status CheckCalendar(const parquet::FileMetaData& file, const std::vector<int>& leaves) {
  const auto keys = file.key_value_metadata();
  if (keys == nullptr) return Status::OK();
  const auto version = keys->Get("org.apache.spark.version");
  const bool before_spark_3 = version.ok() && *version < "3.";
  const bool julian_int96 = before_spark_3 || keys->Contains("org.apache.spark.legacyINT96");
  const bool julian_others = before_spark_3 || keys->Contains("org.apache.spark.legacyDateTime");
  for (const int leaf : leaves) {
    const auto* column = file.schema()->Column(leaf);
    const auto& type = column->logical_type();
    const bool int96 = column->physical_type() == parquet::Type::INT96;
    if (int96 ? julian_int96 : julian_others && (type->is_date() || type->is_timestamp())) {
      return Status::NotImplemented(
          "Spark wrote its dates in the Julian calendar (LEGACY mode): rewrite it with Spark's "
          "OPTIMIZE");
    }
  }
  return Status::OK();
}

}  // namespace

Result<std::unique_ptr<DataFileReader>> DataFileReader::Open(
    ObjectStore* store, const std::string& table_path, const DataFile& file,
    const std::shared_ptr<arrow::Schema>& fields, const StreamMemory& memory,
    const FilePredicate& wanted, std::atomic<int64_t>* bytes_read) {
  return OpenWhere(
      store, table_path, file, fields, memory,
      [&](const parquet::FileMetaData& footer) { return wanted.RowGroups(file, footer); },
      bytes_read);
}

Result<std::unique_ptr<DataFileReader>> DataFileReader::OpenRowGroups(
    ObjectStore* store, const std::string& table_path, const DataFile& file,
    const std::shared_ptr<arrow::Schema>& fields, const StreamMemory& memory,
    const std::vector<int>& row_groups, std::atomic<int64_t>* bytes_read) {
  return OpenWhere(
      store, table_path, file, fields, memory,
      [&](const parquet::FileMetaData&) { return row_groups; }, bytes_read);
}

Result<std::unique_ptr<DataFileReader>> DataFileReader::OpenWhere(
    ObjectStore* store, const std::string& table_path, const DataFile& file,
    const std::shared_ptr<arrow::Schema>& fields, const StreamMemory& memory, const Choose& choose,
    std::atomic<int64_t>* bytes_read) {
  auto reader = std::unique_ptr<DataFileReader>(new DataFileReader());
  reader->path_ = table_path + "/" + file.path;
  reader->fields_ = fields;
  reader->pool_ = memory.pool;
  const auto open = [&]() -> Status {
    parquet::ReaderProperties properties(memory.pool);
    ARROW_ASSIGN_OR_RAISE(
        auto input, OpenBuffered(store, reader->path_, file, memory, bytes_read, &properties));
    properties.set_buffer_size(std::clamp(memory.bytes / 4 / std::max(fields->num_fields(), 1),
                                          kLeastReadBytes, kMostReadBytes));
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(std::move(input), properties));
    const auto metadata = builder.raw_reader()->metadata();
    parquet::ArrowReaderProperties rows = DataFileProperties();
    rows.set_pre_buffer(false);
    rows.set_batch_size(
        std::clamp<int64_t>(memory.bytes / 2 / RowBytes(*metadata), 1, kMaxBatchRows));
    ARROW_ASSIGN_OR_RAISE(reader->parquet_,
                          builder.memory_pool(memory.pool)->properties(rows)->Build());
    const auto leaves = LeavesOf(*metadata, fields->fields(), file.partition_values);
    ARROW_RETURN_NOT_OK(CheckCalendar(*metadata, leaves));
    const std::vector<int> chosen = choose(*metadata);
    for (const int index : chosen) {
      reader->row_groups_.push_back({index, metadata->RowGroup(index)->num_rows()});
    }
    return reader->parquet_->GetRecordBatchReader(chosen, leaves).Value(&reader->batches_);
  };
  const Status status = open();
  if (status.ok()) return reader;
  return CannotRead(reader->path_, status);
}

Result<std::shared_ptr<arrow::RecordBatch>> DataFileReader::Next() {
  const auto next = [&]() -> Result<std::shared_ptr<arrow::RecordBatch>> {
    std::shared_ptr<arrow::RecordBatch> stored;
    do {
      ARROW_ASSIGN_OR_RAISE(stored, batches_->Next());
      if (stored == nullptr) return nullptr;
    } while (stored->num_rows() == 0);
    arrow::ArrayVector columns;
    for (const auto& field : fields_->fields()) {
      const int index = StoredIndex(stored->schema()->fields(), field->name());
      const auto array = index < 0 ? nullptr : stored->column(index);
      ARROW_ASSIGN_OR_RAISE(
          const auto column,
          ColumnOf(*field, array ? std::make_shared<arrow::ChunkedArray>(array) : nullptr, {},
                   stored->num_rows(), pool_));
      columns.push_back(column->chunk(0));
    }
    return arrow::RecordBatch::Make(fields_, stored->num_rows(), std::move(columns));
  };
  auto batch = next();
  if (batch.ok()) return batch;
  return CannotRead(path_, batch.status());
}

Result<std::unique_ptr<DataFileWriter>> DataFileWriter::Open(
    ObjectStore* store, const std::string& table_path, const PartitionValues& partition,
    const arrow::RecordBatch& sample, const ColumnPaths& unbounded, const StreamMemory& memory) {
  auto writer = std::unique_ptr<DataFileWriter>(new DataFileWriter());
  writer->file_.path = NewDataFilePath(partition);
  writer->file_.partition_values = partition;
  writer->full_path_ = table_path + "/" + writer->file_.path;
  // Buffers double as they grow.
  writer->row_group_bytes_ = memory.bytes / 2;
  writer->pool_ = std::make_unique<arrow::ProxyMemoryPool>(memory.pool);
  writer->schema_ = sample.schema();
  for (const auto& field : sample.schema()->fields()) {
    writer->values_.emplace_back(*field, &ShowsInValuesOnly);
  }
  writer->unbounded_ = MisleadingColumns(Selection(sample));
  writer->unbounded_.insert(unbounded.begin(), unbounded.end());
  ARROW_ASSIGN_OR_RAISE(writer->sink_, store->OpenOutput(writer->full_path_));
  ARROW_ASSIGN_OR_RAISE(const Encodings encodings, Encodings::For(Selection(sample)));
  auto opened = parquet::arrow::FileWriter::Open(
      *sample.schema(), writer->pool_.get(), writer->sink_,
      encodings.Properties(kRowGroupRows, writer->unbounded_, writer->pool_.get()));
  if (!opened.ok()) return writer->Annotate(opened.status());
  writer->parquet_ = *std::move(opened);
  return writer;
}

DataFileWriter::~DataFileWriter() {
  if (sink_ == nullptr || sink_->closed()) return;
  // The encoder's destructor would complete the file, so the sink must discard what it writes.
  const Status ignored = sink_->Abort();
  parquet_.reset();
}

Status DataFileWriter::Annotate(const Status& status) const {
  if (status.ok()) return status;
  return status.WithMessage("cannot write ", full_path_, ": ", status.message());
}

Status DataFileWriter::Write(const arrow::RecordBatch& rows) {
  file_.rows += rows.num_rows();
  for (int i = 0; i < rows.num_columns(); ++i) {
    ARROW_RETURN_NOT_OK(Annotate(values_[i].Add(*rows.column(i), pool_.get())));
    in_vain_ |= AddUnbounded(values_[i].columns(), file_.rows, &unbounded_);
  }
  // The remaining rows are still examined, so that no third attempt is needed.
  return in_vain_ ? Status::OK() : Annotate(Encode(rows));
}

Status DataFileWriter::Encode(const arrow::RecordBatch& rows) {
  // A row group stays in memory, encoded, until it is complete.
  if (pool_->bytes_allocated() >= row_group_bytes_) {
    ARROW_RETURN_NOT_OK(parquet_->NewBufferedRowGroup());
  }
  return parquet_->WriteRecordBatch(rows);
}

Result<std::string> DataFileWriter::Statistics() const {
  auto columns = ColumnsWithStatistics(*schema_);
  ARROW_RETURN_NOT_OK(FillFromFooter(*parquet_->metadata(), &columns));
  for (const ValueFacts& values : values_) ReplaceFacts(values.columns(), &columns);
  return StatisticsJson(file_.rows, columns, *schema_);
}

Result<std::optional<DataFile>> DataFileWriter::Finish() {
  if (in_vain_) return std::nullopt;
  ARROW_RETURN_NOT_OK(Annotate(parquet_->Close()));
  if (AddZeroColumns(*parquet_->metadata(), &unbounded_)) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(file_.statistics, Statistics());
  ARROW_ASSIGN_OR_RAISE(file_.size_bytes, sink_->Tell());
  ARROW_RETURN_NOT_OK(Annotate(sink_->Close()));
  file_.modified_ms = WallClockMillis();
  return file_;
}

}  // namespace shopstream::lake
