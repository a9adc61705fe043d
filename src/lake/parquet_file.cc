#include "lake/parquet_file.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/io/memory.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/compression.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>

#include <algorithm>
#include <functional>
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
constexpr int kZstdLevel = 1;
// Enough to tell ids from categories; a hundredth of what the encoding of a full batch costs.
constexpr int64_t kSampleRows = 4096;
// From here on the time saved by a better choice is worth the trial.
constexpr int64_t kTrialRows = 16 * kSampleRows;

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

// The rows of a batch that go into a file.
class Selection {
 public:
  explicit Selection(const arrow::RecordBatch& rows) : rows_(rows), count_(rows.num_rows()) {}
  Selection(const arrow::RecordBatch& rows, const std::vector<int32_t>& positions)
      : rows_(rows),
        count_(static_cast<int64_t>(positions.size())),
        positions_(std::make_shared<arrow::Int32Array>(count_, arrow::Buffer::Wrap(positions))) {}

  const arrow::RecordBatch& rows() const { return rows_; }
  int64_t count() const { return count_; }
  int64_t PositionOf(int64_t i) const { return positions_ ? positions_->Value(i) : i; }
  Result<std::shared_ptr<arrow::Array>> Column(int column, int64_t begin, int64_t count) const {
    if (!positions_) return rows_.column(column)->Slice(begin, count);
    return arrow::compute::Take(*rows_.column(column), *positions_->Slice(begin, count),
                                arrow::compute::TakeOptions::NoBoundsCheck());
  }

 private:
  const arrow::RecordBatch& rows_;
  const int64_t count_;
  std::shared_ptr<arrow::Int32Array> positions_;  // Null: all rows.
};

// Some values of a column, from all over it; nulls left out.
std::vector<std::string_view> Sample(const Selection& selection, int column) {
  const arrow::Array& array = *selection.rows().column(column);
  const int64_t step = std::max<int64_t>(1, selection.count() / kSampleRows);
  std::vector<std::string_view> values;
  for (int64_t i = 0; i < selection.count(); i += step) {
    const int64_t at = selection.PositionOf(i);
    if (array.IsValid(at)) values.push_back(ValueBytes(array, at));
  }
  return values;
}

// A dictionary pays where values repeat. Where most are distinct, building one costs as much as the
// rest of the encoding, and then it is given up.
bool ValuesRepeat(const std::vector<std::string_view>& sample) {
  const std::unordered_set<std::string_view> distinct(sample.begin(), sample.end());
  return distinct.size() * 2 <= sample.size();
}

// zstd that hardly looks for repetition but still packs bytes by their frequency.
std::shared_ptr<arrow::util::CodecOptions> FastZstd() {
  constexpr int kTargetLength = 106;  // With the fast strategy: how far to skip.
  constexpr int kLiterals = 1002;     // 1: pack them in any case.
  auto options = std::make_shared<arrow::util::ZstdCodecOptions>();
  options->compression_level = kZstdLevel;
  options->compression_context_params = {{kTargetLength, 64}, {kLiterals, 1}};
  return options;
}

// Random ids have nothing to look for: there the fast way is half the work for the same bytes.
// Decided by trying both on the sample.
Result<bool> FastIsAsGood(const std::vector<std::string_view>& sample) {
  std::string text;
  for (const std::string_view value : sample) text += value;
  const auto* input = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int64_t>(text.size());
  const auto packed_size = [&](const arrow::util::CodecOptions& options) -> Result<int64_t> {
    ARROW_ASSIGN_OR_RAISE(const auto codec,
                          arrow::util::Codec::Create(arrow::Compression::ZSTD, options));
    std::vector<uint8_t> out(static_cast<size_t>(codec->MaxCompressedLen(size, input)));
    return codec->Compress(size, input, static_cast<int64_t>(out.size()), out.data());
  };
  ARROW_ASSIGN_OR_RAISE(const int64_t fast, packed_size(*FastZstd()));
  ARROW_ASSIGN_OR_RAISE(const int64_t thorough, packed_size(arrow::util::CodecOptions(kZstdLevel)));
  return fast <= thorough + thorough / 50;
}

// The paths in the file of the leaves of a nested column.
std::vector<std::string> LeavesOf(const std::string& path, const arrow::DataType& type) {
  std::vector<std::string> leaves;
  const auto add = [&](const std::string& inner, const arrow::DataType& inner_type) {
    const auto more = LeavesOf(path + "." + inner, inner_type);
    leaves.insert(leaves.end(), more.begin(), more.end());
  };
  if (type.id() == arrow::Type::LIST) {
    add("list.element", *type.field(0)->type());
  } else if (type.id() == arrow::Type::MAP) {
    const auto& map = checked_cast<const arrow::MapType&>(type);
    add("key_value.key", *map.key_type());
    add("key_value.value", *map.item_type());
  } else if (type.id() == arrow::Type::STRUCT) {
    for (const auto& member : type.fields()) add(member->name(), *member->type());
  } else {
    leaves.push_back(path);
  }
  return leaves;
}

// Encodings that every reader of the last years knows: differences for what tends to grow, lengths
// apart from bytes for texts.
Status ChooseEncoding(const Selection& selection, int column,
                      parquet::WriterProperties::Builder* builder) {
  const std::string& name = selection.rows().column_name(column);
  switch (selection.rows().column(column)->type_id()) {
    case arrow::Type::BOOL:
      return Status::OK();
    case arrow::Type::STRUCT:
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      for (const std::string& leaf : LeavesOf(name, *selection.rows().column(column)->type())) {
        // Given up by itself where the values do not repeat.
        builder->enable_dictionary(leaf);
      }
      return Status::OK();
    case arrow::Type::DICTIONARY:  // Its maker has built it already.
      builder->enable_dictionary(name);
      return Status::OK();
    default:
      break;
  }
  const auto sample = Sample(selection, column);
  if (ValuesRepeat(sample)) {
    builder->enable_dictionary(name);
    return Status::OK();
  }
  switch (selection.rows().column(column)->type_id()) {
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
      builder->encoding(name, parquet::Encoding::DELTA_BINARY_PACKED);
      return Status::OK();
    case arrow::Type::STRING:
    case arrow::Type::BINARY: {
      builder->encoding(name, parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY);
      if (selection.count() < kTrialRows) return Status::OK();
      ARROW_ASSIGN_OR_RAISE(const bool fast, FastIsAsGood(sample));
      if (fast) builder->codec_options(name, FastZstd());
      return Status::OK();
    }
    default:
      return Status::OK();
  }
}

Result<std::shared_ptr<parquet::WriterProperties>> PropertiesFor(const Selection& selection) {
  parquet::WriterProperties::Builder builder;
  builder.compression(arrow::Compression::ZSTD)
      ->compression_level(kZstdLevel)
      ->max_row_group_length(kRowGroupRows)
      ->created_by("ShopStream")
      ->disable_dictionary();
  for (int i = 0; i < selection.rows().num_columns(); ++i) {
    ARROW_RETURN_NOT_OK(ChooseEncoding(selection, i, &builder));
  }
  return builder.build();
}

struct EncodedFile {
  std::shared_ptr<arrow::Buffer> content;
  std::string statistics;
};

Result<EncodedFile> Encode(const Selection& selection) {
  ARROW_ASSIGN_OR_RAISE(auto sink,
                        arrow::io::BufferOutputStream::Create(selection.count() * 32 + 4096));
  ARROW_ASSIGN_OR_RAISE(const auto properties, PropertiesFor(selection));
  ARROW_ASSIGN_OR_RAISE(const auto writer, parquet::arrow::FileWriter::Open(
                                               *selection.rows().schema(),
                                               arrow::default_memory_pool(), sink, properties));
  for (int64_t begin = 0; begin < selection.count(); begin += kRowGroupRows) {
    const int64_t count = std::min(kRowGroupRows, selection.count() - begin);
    ARROW_RETURN_NOT_OK(writer->NewRowGroup());
    for (int i = 0; i < selection.rows().num_columns(); ++i) {
      ARROW_ASSIGN_OR_RAISE(const auto column, selection.Column(i, begin, count));
      ARROW_RETURN_NOT_OK(writer->WriteColumnChunk(*column));
    }
  }
  ARROW_RETURN_NOT_OK(writer->Close());
  EncodedFile file;
  ARROW_ASSIGN_OR_RAISE(file.statistics, StatisticsJson(*writer->metadata()));
  ARROW_ASSIGN_OR_RAISE(file.content, sink->Finish());
  return file;
}

using Putter = std::function<Status(const std::string&, const std::shared_ptr<arrow::Buffer>&)>;

Result<DataFile> Write(const Putter& put, const std::string& table_path,
                       const PartitionValues& partition, const Selection& selection) {
  const std::string folder = PartitionFolder(partition);
  DataFile file;
  file.path = folder + (folder.empty() ? "" : "/") + "part-" + NewUuid() + ".parquet";
  file.partition_values = partition;
  file.rows = selection.count();
  const std::string path = table_path + "/" + file.path;
  auto encoded = Encode(selection);
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

Result<std::shared_ptr<arrow::ChunkedArray>> Constant(const std::shared_ptr<arrow::Scalar>& value,
                                                      int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(auto array, arrow::MakeArrayFromScalar(*value, rows));
  return std::make_shared<arrow::ChunkedArray>(std::move(array));
}

// Brings what another writer stored (INT96, a narrower integer, large strings) to the table's type.
Result<std::shared_ptr<arrow::Array>> CastTo(const std::shared_ptr<arrow::Array>& array,
                                             const std::shared_ptr<arrow::DataType>& type) {
  auto options = arrow::compute::CastOptions::Safe(type);
  options.allow_time_truncate = true;
  ARROW_ASSIGN_OR_RAISE(const auto cast, arrow::compute::Cast(*array, options));
  return cast.make_array();
}

// The array with its own length, nulls and offsets, and other children. Its offset is kept, so that
// only whole children may be given.
std::shared_ptr<arrow::Array> WithChildren(
    const arrow::Array& array, const std::shared_ptr<arrow::DataType>& type,
    std::vector<std::shared_ptr<arrow::ArrayData>> children) {
  auto data = array.data()->Copy();
  data->type = type;
  data->child_data = std::move(children);
  return arrow::MakeArray(data);
}

Result<std::shared_ptr<arrow::Array>> ArrayAsType(const std::shared_ptr<arrow::Array>& array,
                                                  const std::shared_ptr<arrow::DataType>& type);

// A member that the file lacks is null: the table's struct has grown since.
Result<std::shared_ptr<arrow::Array>> StructAsType(const arrow::Array& array,
                                                   const std::shared_ptr<arrow::DataType>& type) {
  const auto& stored = checked_cast<const arrow::StructType&>(*array.type());
  std::vector<std::shared_ptr<arrow::ArrayData>> members;
  for (const auto& member : type->fields()) {
    const int index = stored.GetFieldIndex(member->name());
    std::shared_ptr<arrow::Array> values;
    if (index >= 0) {
      ARROW_ASSIGN_OR_RAISE(
          values, ArrayAsType(arrow::MakeArray(array.data()->child_data[index]), member->type()));
    } else {
      ARROW_ASSIGN_OR_RAISE(
          values, arrow::MakeArrayOfNull(member->type(), array.offset() + array.length()));
    }
    members.push_back(values->data());
  }
  return WithChildren(array, type, std::move(members));
}

Result<std::shared_ptr<arrow::Array>> ArrayAsType(const std::shared_ptr<arrow::Array>& array,
                                                  const std::shared_ptr<arrow::DataType>& type) {
  if (array->type()->Equals(type)) return array;
  if (array->type_id() != type->id()) return CastTo(array, type);
  if (type->id() == arrow::Type::STRUCT) return StructAsType(*array, type);
  if (type->id() != arrow::Type::LIST && type->id() != arrow::Type::MAP) {
    return CastTo(array, type);
  }
  const auto child = arrow::MakeArray(array->data()->child_data[0]);
  ARROW_ASSIGN_OR_RAISE(const auto items, ArrayAsType(child, type->field(0)->type()));
  return WithChildren(*array, type, {items->data()});
}

Result<std::shared_ptr<arrow::ChunkedArray>> AsType(
    const std::shared_ptr<arrow::ChunkedArray>& column,
    const std::shared_ptr<arrow::DataType>& type) {
  if (column->type()->Equals(type)) return column;
  arrow::ArrayVector chunks;
  for (const auto& chunk : column->chunks()) {
    ARROW_ASSIGN_OR_RAISE(chunks.emplace_back(), ArrayAsType(chunk, type));
  }
  return arrow::ChunkedArray::Make(std::move(chunks), type);
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
    ARROW_ASSIGN_OR_RAISE(const auto stored, parquet_->ReadTable(StoredLeaves(fields)));
    arrow::ChunkedArrayVector columns;
    for (const auto& field : fields) {
      if (const auto* value = PartitionValue(field->name())) {
        ARROW_ASSIGN_OR_RAISE(const auto scalar, ParsePartitionValue(*value, field->type()));
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

  // All those of a nested column, since the table's type may have fewer members.
  std::vector<int> StoredLeaves(const arrow::FieldVector& fields) const {
    const auto* schema = parquet_->parquet_reader()->metadata()->schema();
    std::unordered_set<std::string_view> wanted;
    for (const auto& field : fields) {
      if (PartitionValue(field->name()) == nullptr) wanted.insert(field->name());
    }
    std::vector<int> leaves;
    for (int leaf = 0; leaf < schema->num_columns(); ++leaf) {
      if (wanted.contains(schema->GetColumnRoot(leaf)->name())) leaves.push_back(leaf);
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
  return Write(PutInto(store), table_path, partition, Selection(*rows));
}

Result<DataFile> WriteDataFile(ObjectStore* store, const std::string& table_path,
                               const PartitionValues& partition,
                               const std::shared_ptr<arrow::RecordBatch>& rows,
                               const std::vector<int32_t>& selected) {
  return Write(PutInto(store), table_path, partition, Selection(*rows, selected));
}

Result<DataFile> WriteDataFile(UploadQueue* queue, const std::string& table_path,
                               const PartitionValues& partition,
                               const std::shared_ptr<arrow::RecordBatch>& rows,
                               const std::vector<int32_t>& selected) {
  return Write(
      [queue](const std::string& path, const std::shared_ptr<arrow::Buffer>& content) {
        return queue->Put(path, content);
      },
      table_path, partition, Selection(*rows, selected));
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
