#include "lake/parquet_file.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/compute/cast.h>
#include <arrow/io/memory.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/clock.h"
#include "lake/column_statistics.h"
#include "lake/partition_path.h"
#include "lake/uuid.h"

namespace shopstream::lake {
namespace {

using arrow::internal::checked_cast;

// One row group for most files: readers then get long runs of each column.
constexpr int64_t kRowGroupRows = 1 << 20;
// Enough to tell ids from categories; a hundredth of what the encoding of a full batch costs.
constexpr int64_t kSampleRows = 4096;

// Bytes of a fixed-width or variable-width value; empty for types that have neither.
std::string_view ValueBytes(const arrow::Array& column, int64_t i) {
  switch (column.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return checked_cast<const arrow::BinaryArray&>(column).GetView(i);
    case arrow::Type::BOOL:
      return {};
    default: {
      const auto width = static_cast<int64_t>(column.type()->byte_width());
      const auto* values = reinterpret_cast<const char*>(column.data()->buffers[1]->data());
      return {values + (column.offset() + i) * width, static_cast<size_t>(width)};
    }
  }
}

// A dictionary pays where values repeat. Where most are distinct, building one costs as much as the
// rest of the encoding, and then it is given up.
bool ValuesRepeat(const arrow::Array& column) {
  const int64_t step = std::max<int64_t>(1, column.length() / kSampleRows);
  std::unordered_set<std::string_view> distinct;
  int64_t sampled = 0;
  for (int64_t i = 0; i < column.length(); i += step) {
    if (column.IsNull(i)) continue;
    ++sampled;
    distinct.insert(ValueBytes(column, i));
  }
  return static_cast<int64_t>(distinct.size()) * 2 <= sampled;
}

std::shared_ptr<parquet::WriterProperties> PropertiesFor(const arrow::RecordBatch& rows) {
  parquet::WriterProperties::Builder builder;
  builder.compression(arrow::Compression::ZSTD)
      ->compression_level(1)
      ->max_row_group_length(kRowGroupRows)
      ->created_by("ShopStream")
      ->disable_dictionary();
  for (int i = 0; i < rows.num_columns(); ++i) {
    if (ValuesRepeat(*rows.column(i))) builder.enable_dictionary(rows.column_name(i));
  }
  return builder.build();
}

struct EncodedFile {
  std::shared_ptr<arrow::Buffer> content;
  std::string statistics;
};

Result<EncodedFile> Encode(const arrow::RecordBatch& rows) {
  ARROW_ASSIGN_OR_RAISE(auto sink, arrow::io::BufferOutputStream::Create(rows.num_rows() * 32));
  ARROW_ASSIGN_OR_RAISE(const auto writer, parquet::arrow::FileWriter::Open(
                                               *rows.schema(), arrow::default_memory_pool(), sink,
                                               PropertiesFor(rows)));
  for (int64_t begin = 0; begin < rows.num_rows(); begin += kRowGroupRows) {
    const int64_t length = std::min(kRowGroupRows, rows.num_rows() - begin);
    ARROW_RETURN_NOT_OK(writer->NewRowGroup());
    for (const auto& column : rows.columns()) {
      ARROW_RETURN_NOT_OK(writer->WriteColumnChunk(*column->Slice(begin, length)));
    }
  }
  ARROW_RETURN_NOT_OK(writer->Close());
  EncodedFile file;
  ARROW_ASSIGN_OR_RAISE(file.statistics, StatisticsJson(*writer->metadata()));
  ARROW_ASSIGN_OR_RAISE(file.content, sink->Finish());
  return file;
}

Result<std::shared_ptr<arrow::ChunkedArray>> Constant(const std::shared_ptr<arrow::Scalar>& value,
                                                      int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(auto array, arrow::MakeArrayFromScalar(*value, rows));
  return std::make_shared<arrow::ChunkedArray>(std::move(array));
}

// Brings what another writer stored (INT96, a narrower integer, large strings) to the table's type.
Result<std::shared_ptr<arrow::ChunkedArray>> AsType(
    const std::shared_ptr<arrow::ChunkedArray>& column,
    const std::shared_ptr<arrow::DataType>& type) {
  if (column->type()->Equals(type)) return column;
  auto options = arrow::compute::CastOptions::Safe(type);
  options.allow_time_truncate = true;
  ARROW_ASSIGN_OR_RAISE(const auto cast, arrow::compute::Cast(column, options));
  return cast.chunked_array();
}

// A data file open for reading: its Parquet columns, and those that only the log knows.
class DataFileReader {
 public:
  static Result<DataFileReader> Open(ObjectStore* store, const std::string& path,
                                     const DataFile& file) {
    ARROW_ASSIGN_OR_RAISE(auto input, store->OpenInput(path));
    ARROW_ASSIGN_OR_RAISE(auto parquet,
                          parquet::arrow::OpenFile(std::move(input), arrow::default_memory_pool()));
    return DataFileReader(file, std::move(parquet));
  }

  Result<std::shared_ptr<arrow::Table>> Read(const arrow::FieldVector& fields) {
    const int64_t rows = parquet_->parquet_reader()->metadata()->num_rows();
    ARROW_ASSIGN_OR_RAISE(const auto stored, parquet_->ReadTable(LeavesOf(fields)));
    arrow::ChunkedArrayVector columns;
    for (const auto& field : fields) {
      if (const auto value = PartitionValue(field->name())) {
        ARROW_ASSIGN_OR_RAISE(const auto scalar, ParsePartitionValue(**value, field->type()));
        ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), Constant(scalar, rows));
      } else if (const auto column = stored->GetColumnByName(field->name())) {
        ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), AsType(column, field->type()));
      } else {
        ARROW_ASSIGN_OR_RAISE(columns.emplace_back(),
                              Constant(arrow::MakeNullScalar(field->type()), rows));
      }
    }
    return arrow::Table::Make(arrow::schema(fields), std::move(columns), rows);
  }

 private:
  DataFileReader(const DataFile& file, std::unique_ptr<parquet::arrow::FileReader> parquet)
      : file_(file), parquet_(std::move(parquet)) {}

  // Null: not a partition column.
  const std::optional<std::string>* PartitionValue(const std::string& column) const {
    for (const auto& value : file_.partition_values) {
      if (value.first == column) return &value.second;
    }
    return nullptr;
  }

  std::vector<int> LeavesOf(const arrow::FieldVector& fields) const {
    const auto* schema = parquet_->parquet_reader()->metadata()->schema();
    std::vector<int> leaves;
    for (const auto& field : fields) {
      const int leaf = schema->ColumnIndex(field->name());
      if (leaf >= 0 && PartitionValue(field->name()) == nullptr) leaves.push_back(leaf);
    }
    return leaves;
  }

  const DataFile& file_;
  std::unique_ptr<parquet::arrow::FileReader> parquet_;
};

}  // namespace

Result<DataFile> WriteDataFile(ObjectStore* store, const std::string& table_path,
                               const PartitionValues& partition,
                               const std::shared_ptr<arrow::RecordBatch>& rows) {
  const std::string folder = PartitionFolder(partition);
  DataFile file;
  file.path = folder + (folder.empty() ? "" : "/") + "part-" + NewUuid() + ".parquet";
  file.partition_values = partition;
  file.rows = rows->num_rows();
  ARROW_ASSIGN_OR_RAISE(EncodedFile encoded, Encode(*rows));
  file.size_bytes = encoded.content->size();
  file.statistics = std::move(encoded.statistics);
  ARROW_RETURN_NOT_OK(store->Put(table_path + "/" + file.path, *encoded.content));
  file.modified_ms = WallClockMillis();
  return file;
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
    ARROW_ASSIGN_OR_RAISE(DataFileReader reader, DataFileReader::Open(store, path, file));
    return reader.Read(fields);
  };
  auto table = read();
  if (table.ok()) return table;
  return table.status().WithMessage("cannot read ", path, ": ", table.status().message());
}

}  // namespace shopstream::lake
