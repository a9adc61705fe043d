#include "generate/table_file.h"

#include <arrow/csv/options.h>
#include <arrow/csv/reader.h>
#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include <algorithm>
#include <utility>

#include "base/nearest_name.h"

namespace shopstream::generate {
namespace {

constexpr int64_t kReadBatchRows = 32'768;
constexpr int32_t kCsvBlockBytes = 4 << 20;

using ParquetReader = std::unique_ptr<parquet::arrow::FileReader>;

Result<ParquetReader> OpenParquet(const std::string& path) {
  try {
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
    parquet::ArrowReaderProperties properties;
    properties.set_batch_size(kReadBatchRows);
    properties.set_pre_buffer(false);  // It would hold whole row groups.
    properties.set_use_threads(false);
    properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);  // ns end in 2262.
    parquet::ReaderProperties file_properties;
    file_properties.enable_buffered_stream();
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(std::move(file), file_properties));
    builder.properties(properties);
    ParquetReader reader;
    ARROW_RETURN_NOT_OK(builder.Build(&reader));
    return reader;
  } catch (const parquet::ParquetException& error) {
    return Status::IOError(error.what());
  }
}

// Keeps the file open as long as its batches are read.
class ParquetBatches : public arrow::RecordBatchReader {
 public:
  ParquetBatches(ParquetReader file, std::shared_ptr<arrow::RecordBatchReader> batches)
      : file_(std::move(file)), batches_(std::move(batches)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return batches_->schema(); }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    return batches_->ReadNext(batch);
  }

 private:
  const ParquetReader file_;
  const std::shared_ptr<arrow::RecordBatchReader> batches_;
};

Result<std::shared_ptr<arrow::RecordBatchReader>> ReadParquet(
    const std::string& path, const std::vector<std::string>& columns) {
  ARROW_ASSIGN_OR_RAISE(ParquetReader reader, OpenParquet(path));
  std::shared_ptr<arrow::Schema> schema;
  ARROW_RETURN_NOT_OK(reader->GetSchema(&schema));
  std::vector<int> row_groups(reader->num_row_groups()), indices;
  for (size_t i = 0; i < row_groups.size(); ++i) row_groups[i] = static_cast<int>(i);
  for (const std::string& column : columns) indices.push_back(schema->GetFieldIndex(column));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatchReader> batches,
                        reader->GetRecordBatchReader(row_groups, indices));
  return std::make_shared<ParquetBatches>(std::move(reader), std::move(batches));
}

Result<std::shared_ptr<arrow::RecordBatchReader>> ReadCsv(const std::string& path,
                                                          const std::vector<std::string>& columns) {
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
  auto read = arrow::csv::ReadOptions::Defaults();
  read.use_threads = false;
  read.block_size = kCsvBlockBytes;
  auto convert = arrow::csv::ConvertOptions::Defaults();
  convert.include_columns = columns;  // None: all.
  convert.strings_can_be_null = true;
  convert.null_values = {""};
  for (const std::string& column : columns) convert.column_types[column] = arrow::utf8();
  return arrow::csv::StreamingReader::Make(arrow::io::default_io_context(), file, read,
                                           arrow::csv::ParseOptions::Defaults(), convert);
}

Result<std::vector<std::string>> ColumnNames(const std::string& path, bool is_csv) {
  if (is_csv) {
    ARROW_ASSIGN_OR_RAISE(const auto reader, ReadCsv(path, {}));
    return reader->schema()->field_names();
  }
  ARROW_ASSIGN_OR_RAISE(const ParquetReader reader, OpenParquet(path));
  std::shared_ptr<arrow::Schema> schema;
  ARROW_RETURN_NOT_OK(reader->GetSchema(&schema));
  return schema->field_names();
}

}  // namespace

Result<TableFile> TableFile::Open(const std::string& path) {
  TableFile table;
  table.path_ = path;
  table.is_csv_ = path.ends_with(".csv");
  if (!table.is_csv_ && !path.ends_with(".parquet")) {
    return Status::Invalid(path, " ends neither in .parquet nor in .csv: only these can be read");
  }
  Result<std::vector<std::string>> columns = ColumnNames(path, table.is_csv_);
  if (!columns.ok()) {
    return Status::IOError(path, " cannot be read as a ", table.is_csv_ ? "CSV" : "Parquet",
                           " file: ", columns.status().message(),
                           "; data that the project uses is fetched by ./run setup");
  }
  table.columns_ = std::move(*columns);
  return table;
}

Status TableFile::CheckColumns(const std::vector<std::string>& columns) const {
  for (const std::string& column : columns) {
    if (std::find(columns_.begin(), columns_.end(), column) != columns_.end()) continue;
    std::string all;
    for (const std::string& known : columns_) all += (all.empty() ? "" : ", ") + known;
    return Status::Invalid(path_, " has no column '", column, "'", DidYouMean(column, columns_),
                           " (its columns: ", all, ")");
  }
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatchReader>> TableFile::Read(
    const std::vector<std::string>& columns) const {
  ARROW_RETURN_NOT_OK(CheckColumns(columns));
  return is_csv_ ? ReadCsv(path_, columns) : ReadParquet(path_, columns);
}

}  // namespace shopstream::generate
