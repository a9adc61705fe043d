#include "base/table_file.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_dict.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/cast.h>
#include <arrow/datum.h>
#include <arrow/io/file.h>
#include <arrow/util/utf8.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include <algorithm>
#include <utility>

#include "base/format.h"
#include "base/join.h"
#include "base/nearest_name.h"
#include "base/text_file.h"

namespace shopstream {
namespace {

constexpr int64_t kReadBatchRows = 32'768;

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
  std::vector<int> row_groups(reader->num_row_groups()), indices;
  for (size_t i = 0; i < row_groups.size(); ++i) row_groups[i] = static_cast<int>(i);
  for (const std::string& column : columns) {
    // Finds plain columns only: members of nested ones have longer paths.
    indices.push_back(reader->parquet_reader()->metadata()->schema()->ColumnIndex(column));
    if (indices.back() < 0) {
      return Status::Invalid("column '", column, "' is nested; only plain columns can be used");
    }
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatchReader> batches,
                        reader->GetRecordBatchReader(row_groups, indices));
  return std::make_shared<ParquetBatches>(std::move(reader), std::move(batches));
}

bool IsText(arrow::Type::type type) {
  return arrow::is_base_binary_like(type) || arrow::is_binary_view_like(type) ||
         type == arrow::Type::FIXED_SIZE_BINARY;
}

// What the batches of one file have in common.
struct FileRows {
  std::string path;
  FileFormat format;
  bool is_text = false;
  SkippedLines* counts = nullptr;
  std::shared_ptr<UnevenLines> uneven = std::make_shared<UnevenLines>();
};

// Gives each batch its row numbers, and each text the type utf8.
class NumberedRows : public arrow::RecordBatchReader {
 public:
  NumberedRows(FileRows file, std::shared_ptr<arrow::RecordBatchReader> batches)
      : file_(std::move(file)), batches_(std::move(batches)) {
    arrow::FieldVector fields;
    for (const auto& field : batches_->schema()->fields()) {
      fields.push_back(field->WithType(TypeOf(field->type())));
    }
    fields.push_back(arrow::field(kRowColumn, arrow::int64(), false));
    schema_ = arrow::schema(std::move(fields));
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    const Status read = batches_->ReadNext(batch);
    if (!read.ok()) return Explain(file_, read);
    if (*batch == nullptr) {
      CountRest();
      return Status::OK();
    }
    arrow::ArrayVector columns;
    ARROW_ASSIGN_OR_RAISE(const auto numbers, NumberRows((*batch)->num_rows()));
    for (int i = 0; i < (*batch)->num_columns(); ++i) {
      const std::string& name = schema_->field(i)->name();
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), Normal((*batch)->column(i), name, *numbers));
    }
    columns.push_back(numbers);
    *batch = arrow::RecordBatch::Make(schema_, (*batch)->num_rows(), std::move(columns));
    return Status::OK();
  }

  // Names the file, and the line if its number of values is wrong.
  static Status Explain(const FileRows& file, const Status& error) {
    if (!file.uneven->refused.empty()) {
      const UnevenLine& line = file.uneven->refused.front();
      const bool is_short = line.values < line.expected;
      return Status::Invalid(file.path, ", row ", line.row, ": ", line.values,
                             " columns, the header has ", line.expected,
                             is_short
                                 ? "; to leave out such lines, set csv: {short_lines: skip}"
                                 : "; put values that contain the delimiter in quotes, or leave "
                                   "out such lines with csv: {long_lines: skip}");
    }
    if (error.message().find("straddling object") != std::string::npos) {
      return Status::Invalid(file.path, ": ", kUnclosedQuote);
    }
    return error.WithMessage(file.path, ": ", error.message());
  }

 private:
  static std::shared_ptr<arrow::DataType> TypeOf(const std::shared_ptr<arrow::DataType>& type) {
    if (type->id() == arrow::Type::DICTIONARY) {
      return TypeOf(static_cast<const arrow::DictionaryType&>(*type).value_type());
    }
    return IsText(type->id()) ? arrow::utf8() : type;
  }

  Result<std::shared_ptr<arrow::Int64Array>> NumberRows(int64_t rows) {
    const auto& skipped = file_.uneven->skipped;
    arrow::Int64Builder builder;
    ARROW_RETURN_NOT_OK(builder.Reserve(rows));
    for (int64_t i = 0; i < rows; ++i) {
      ++row_;
      for (; next_skipped_ < skipped.size() && skipped[next_skipped_].row == row_; ++row_) {
        Count(skipped[next_skipped_++]);
      }
      builder.UnsafeAppend(row_);
    }
    ARROW_ASSIGN_OR_RAISE(const auto numbers, builder.Finish());
    return std::static_pointer_cast<arrow::Int64Array>(numbers);
  }

  // Lines after the last row.
  void CountRest() {
    while (next_skipped_ < file_.uneven->skipped.size()) {
      Count(file_.uneven->skipped[next_skipped_++]);
    }
  }

  void Count(const UnevenLine& line) const {
    if (file_.counts == nullptr) return;
    ++(line.values < line.expected ? file_.counts->with_fewer_values
                                   : file_.counts->with_more_values);
  }

  Result<std::shared_ptr<arrow::Array>> Normal(std::shared_ptr<arrow::Array> column,
                                               const std::string& name,
                                               const arrow::Int64Array& numbers) const {
    if (column->type_id() == arrow::Type::DICTIONARY) {
      const auto& dictionary = static_cast<const arrow::DictionaryType&>(*column->type());
      ARROW_ASSIGN_OR_RAISE(column, arrow::compute::Cast(*column, dictionary.value_type()));
    }
    if (!IsText(column->type_id())) return column;
    if (column->type_id() != arrow::Type::STRING && column->type_id() != arrow::Type::BINARY) {
      const bool is_utf8 = column->type_id() == arrow::Type::LARGE_STRING ||
                           column->type_id() == arrow::Type::STRING_VIEW;
      ARROW_ASSIGN_OR_RAISE(
          column, arrow::compute::Cast(*column, is_utf8 ? arrow::utf8() : arrow::binary()));
    }
    const auto data = column->data()->Copy();
    data->type = arrow::utf8();
    const auto text = std::make_shared<arrow::StringArray>(data);
    ARROW_RETURN_NOT_OK(CheckUtf8(*text, name, numbers));
    if (file_.is_text || !file_.format.nulls) return text;
    return WithoutNulls(*text, *file_.format.nulls);
  }

  Status CheckUtf8(const arrow::StringArray& text, const std::string& name,
                   const arrow::Int64Array& numbers) const {
    if (text.ValidateUTF8().ok()) return Status::OK();
    int64_t row = 0;
    while (text.IsNull(row) || arrow::util::ValidateUTF8(text.GetView(row))) ++row;
    const std::string where =
        file_.path + ", row " + std::to_string(numbers.Value(row)) + ", column " + name;
    const Encoding encoding = file_.format.encoding.value_or(Encoding::kUtf8);
    if (encoding != Encoding::kUtf8) {
      return Status::Invalid(where, ": bytes that are not ", NameOf(encoding));
    }
    return Status::Invalid(where, ": bytes that are not UTF-8",
                           file_.is_text ? "; set csv: {encoding: cp1252}" : "");
  }

  static Result<std::shared_ptr<arrow::Array>> WithoutNulls(const arrow::StringArray& text,
                                                            const std::vector<std::string>& nulls) {
    arrow::StringBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Reserve(text.length()));
    for (int64_t row = 0; row < text.length(); ++row) {
      const bool is_null = text.IsNull(row) ||
                           std::find(nulls.begin(), nulls.end(), text.GetView(row)) != nulls.end();
      ARROW_RETURN_NOT_OK(is_null ? builder.AppendNull() : builder.Append(text.GetView(row)));
    }
    return builder.Finish();
  }

  const FileRows file_;
  const std::shared_ptr<arrow::RecordBatchReader> batches_;
  std::shared_ptr<arrow::Schema> schema_;
  int64_t row_ = 0;
  size_t next_skipped_ = 0;
};

Result<std::vector<std::string>> ParquetColumns(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const ParquetReader reader, OpenParquet(path));
  std::shared_ptr<arrow::Schema> schema;
  ARROW_RETURN_NOT_OK(reader->GetSchema(&schema));
  return schema->field_names();
}

}  // namespace

Result<TableFile> TableFile::Open(const std::string& path, const FileFormat& format,
                                  const std::vector<std::string>& needed) {
  TableFile table;
  table.path_ = path;
  table.format_ = format;
  table.is_text_ = path.ends_with(".csv") || path.ends_with(".tsv") || path.ends_with(".txt");
  if (!table.is_text_ && !path.ends_with(".parquet")) {
    return Status::Invalid(path, " ends in none of .parquet, .csv, .tsv and .txt: only these can ",
                           "be read");
  }
  if (const Status read = table.ReadHeader(needed); !read.ok()) {
    return Status::IOError(path, " cannot be read as a ", table.is_text_ ? "text" : "Parquet",
                           " file: ", read.message(),
                           "; data that the project uses is fetched by ./run setup");
  }
  ARROW_RETURN_NOT_OK(table.CheckColumns(needed));
  return table;
}

Status TableFile::ReadHeader(const std::vector<std::string>& needed) {
  if (!is_text_) {
    ARROW_ASSIGN_OR_RAISE(columns_, ParquetColumns(path_));
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(auto header, ReadTextHeader(path_, format_, needed));
  format_ = std::move(header.format);
  columns_ = std::move(header.columns);
  return Status::OK();
}

Status TableFile::CheckColumns(const std::vector<std::string>& needed) const {
  for (const std::string& column : needed) {
    const auto count = std::count(columns_.begin(), columns_.end(), column);
    if (count == 1) continue;
    if (count > 1) return Status::Invalid(path_, " has ", count, " columns '", column, "'");
    return Status::Invalid(path_, " has no column '", column, "'", DidYouMean(column, columns_),
                           " (its columns: ", Printable(Joined(columns_, ", ")), ")");
  }
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatchReader>> TableFile::Read(
    const std::vector<std::string>& columns, SkippedLines* skipped) const {
  FileRows file{.path = path_, .format = format_, .is_text = is_text_, .counts = skipped};
  auto batches =
      is_text_ ? ReadTextRows(path_, format_, columns, file.uneven) : ReadParquet(path_, columns);
  if (!batches.ok()) return NumberedRows::Explain(file, batches.status());
  return std::make_shared<NumberedRows>(std::move(file), *std::move(batches));
}

}  // namespace shopstream
