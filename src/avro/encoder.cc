#include "avro/encoder.h"

#include <arrow/array/data.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "avro/binary.h"
#include "avro/layout.h"
#include "avro/node.h"
#include "avro/nullable.h"

namespace shopstream::avro {

enum class EncodeCode : uint8_t {
  kNull,  // A union's branch of null alone; no column.
  kInt32,
  kInt32AsDouble,
  kInt64,
  kInt64AsInt,
  kDouble,
  kText,
  kBoolean,
};

// One field of the record, in the order of the Avro schema.
struct EncodeOp {
  EncodeCode code = EncodeCode::kNull;
  int column = -1;
  bool is_union = false;  // The number of a branch stands before the value.
  uint8_t null_branch = 0;
};

namespace {

// Of a field, without its text. The number of a branch takes one byte.
constexpr int64_t kMaxFieldBytes = kMaxLongBytes + 1;

// An op's column in one batch.
struct Source {
  EncodeCode code = EncodeCode::kNull;
  bool is_union = false;
  uint8_t null_branch = 0;
  const uint8_t* validity = nullptr;  // Null where the column holds no null.
  int64_t first = 0;                  // Row 0 within the buffers; those of text start at row 0.
  const uint8_t* values = nullptr;
  const int32_t* offsets = nullptr;
  const uint8_t* text = nullptr;
  int64_t text_size = 0;  // Readable, from `text`.
};

template <typename... Args>
Status Misfit(const arrow::Field& column, Args&&... reason) {
  return Status::Invalid("column ", column.name(), " (", column.type()->ToString(), ") ",
                         std::forward<Args>(reason)...);
}

std::optional<EncodeCode> CodeOf(const arrow::DataType& column, const Node& type) {
  const Kind kind = type.kind;
  switch (column.id()) {
    case arrow::Type::BOOL:
      if (kind == Kind::kBoolean) return EncodeCode::kBoolean;
      return std::nullopt;
    case arrow::Type::INT32:
      if (kind == Kind::kInt || kind == Kind::kLong) return EncodeCode::kInt32;
      if (kind == Kind::kDouble) return EncodeCode::kInt32AsDouble;
      return std::nullopt;
    case arrow::Type::INT64:
      if (kind == Kind::kLong) return EncodeCode::kInt64;
      if (kind == Kind::kInt) return EncodeCode::kInt64AsInt;
      return std::nullopt;
    case arrow::Type::DOUBLE:
      if (kind == Kind::kDouble) return EncodeCode::kDouble;
      return std::nullopt;
    case arrow::Type::STRING:
      if (kind == Kind::kString || kind == Kind::kBytes) return EncodeCode::kText;
      return std::nullopt;
    case arrow::Type::BINARY:
      if (kind == Kind::kBytes) return EncodeCode::kText;
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

bool IsMillis(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP &&
         static_cast<const arrow::TimestampType&>(type).unit() == arrow::TimeUnit::MILLI;
}

// A logical type is a promise about the values that only a column of that meaning can keep.
std::optional<EncodeCode> CodeOfLogical(const arrow::DataType& column, const Node& type) {
  if (IsMillis(column)) {
    const bool fits = type.logical_type.empty() || type.logical_type == "timestamp-millis";
    if (fits && type.kind == Kind::kLong) return EncodeCode::kInt64;
    return std::nullopt;
  }
  if (type.logical_type.empty() || (type.logical_type == "uuid" && type.kind == Kind::kString)) {
    return CodeOf(column, type);
  }
  return std::nullopt;
}

Status CheckNulls(const arrow::ArrayData& array, const arrow::Field& column) {
  if (array.GetNullCount() == 0) return Status::OK();
  int64_t row = 0;
  while (array.IsValid(row)) ++row;
  return Misfit(column, "is null in row ", row,
                ", and its Avro field is no union with null; make it one, or fill the value");
}

Status CheckInts(const arrow::ArrayData& array, const arrow::Field& column) {
  for (int64_t row = 0; row < array.length; ++row) {
    const auto value = array.GetValues<int64_t>(1)[row];
    if (value == static_cast<int32_t>(value) || !array.IsValid(row)) continue;
    return Misfit(column, "holds ", value, " in row ", row,
                  ", beyond an Avro int; make the field a long");
  }
  return Status::OK();
}

Result<Source> Bind(const EncodeOp& op, const arrow::Field& column, const arrow::ArrayData& array) {
  if (!op.is_union) ARROW_RETURN_NOT_OK(CheckNulls(array, column));
  if (op.code == EncodeCode::kInt64AsInt) ARROW_RETURN_NOT_OK(CheckInts(array, column));
  Source source;
  source.code = op.code;
  source.is_union = op.is_union;
  source.null_branch = op.null_branch;
  source.first = array.offset;
  if (array.GetNullCount() > 0) source.validity = array.buffers[0]->data();
  if (array.length == 0) return source;
  source.values = array.buffers[1]->data();
  if (op.code == EncodeCode::kText) {
    source.offsets = array.GetValues<int32_t>(1);
    if (array.buffers[2] != nullptr) {
      source.text = array.buffers[2]->data();
      source.text_size = array.buffers[2]->size();
    }
  }
  return source;
}

// Writes rows; the caller has made room for the longest.
class RowWriter {
 public:
  RowWriter(const std::vector<Source>& sources, uint8_t* to) : sources_(sources), to_(to) {}

  uint8_t* WriteRow(int64_t row, std::span<const uint8_t> prefix) {
    if (!prefix.empty()) std::memcpy(to_, prefix.data(), prefix.size());
    to_ += prefix.size();
    for (const Source& source : sources_) WriteField(source, row);
    return to_;
  }

 private:
  [[gnu::always_inline]] void WriteField(const Source& source, int64_t row) {
    if (source.is_union && WriteBranch(source, row)) return;
    const int64_t place = source.first + row;
    switch (source.code) {
      case EncodeCode::kNull:
        return;
      case EncodeCode::kInt32:
        return WriteLong(LoadAt<int32_t>(source.values, place));
      case EncodeCode::kInt64:
      case EncodeCode::kInt64AsInt:
        return WriteLong(LoadAt<int64_t>(source.values, place));
      case EncodeCode::kInt32AsDouble:
        return WriteDouble(LoadAt<int32_t>(source.values, place));
      case EncodeCode::kDouble:
        return WriteDouble(LoadAt<double>(source.values, place));
      case EncodeCode::kText:
        return WriteText(source, row);
      case EncodeCode::kBoolean:
        *to_++ = arrow::bit_util::GetBit(source.values, place) ? 1 : 0;
    }
  }

  // True where the value is null, so that nothing follows.
  bool WriteBranch(const Source& source, int64_t row) {
    const bool null = source.code == EncodeCode::kNull ||
                      (source.validity != nullptr &&
                       !arrow::bit_util::GetBit(source.validity, source.first + row));
    const int branch = null ? source.null_branch : 1 - source.null_branch;
    *to_++ = static_cast<uint8_t>(branch << 1);  // Zig-zag.
    return null;
  }

  void WriteLong(int64_t value) { to_ = PutVarint(ZigZag(value), to_); }

  void WriteDouble(double value) {
    std::memcpy(to_, &value, sizeof(value));
    to_ += sizeof(value);
  }

  [[gnu::always_inline]] void WriteText(const Source& source, int64_t row) {
    const int64_t begin = source.offsets[row];
    const int64_t size = source.offsets[row + 1] - begin;
    WriteLong(size);
    CopyText(source.text + begin, static_cast<size_t>(size),
             static_cast<size_t>(source.text_size - begin), to_);
    to_ += size;
  }

  const std::vector<Source>& sources_;
  uint8_t* to_;
};

int64_t MostBytes(const std::vector<Source>& sources, int64_t rows, size_t prefix) {
  int64_t bytes = kCopySlack;
  bytes +=
      rows * (static_cast<int64_t>(prefix) + static_cast<int64_t>(sources.size()) * kMaxFieldBytes);
  for (const Source& source : sources) {
    if (source.offsets != nullptr) bytes += source.offsets[rows] - source.offsets[0];
  }
  return bytes;
}

}  // namespace

class Encoder::Compiler {
 public:
  static Result<EncodeOp> Compile(const Field& field, const arrow::Schema& columns) {
    const Nullable type = Nullable::Of(*field.type);
    EncodeOp op;
    op.is_union = type.is_union;
    op.null_branch = type.null_branch;
    op.column = columns.GetFieldIndex(field.name);
    if (op.column < 0) {
      if (type.is_union) return op;
      return Status::Invalid("field \"", field.name, "\" (", Describe(*field.type),
                             ") has no column, or more than one, and cannot be null; add the "
                             "column, or make the field a union with null");
    }
    const arrow::Field& column = *columns.field(op.column);
    const auto code = CodeOfLogical(*column.type(), *type.value);
    if (!code) {
      return Status::NotImplemented("column ", column.name(), " (", column.type()->ToString(),
                                    ") cannot be written as ", Describe(*field.type),
                                    "; change the field's type in the schema");
    }
    op.code = *code;
    return op;
  }

  static Status CheckEveryColumnHasField(const arrow::Schema& columns, const Node& record) {
    for (const auto& column : columns.fields()) {
      const auto found = std::ranges::find(record.fields, column->name(), &Field::name);
      if (found != record.fields.end()) continue;
      return Misfit(*column, "is no field of ", Describe(record),
                    "; add the field to the schema, or drop the column");
    }
    return Status::OK();
  }
};

Result<Encoder> Encoder::Compile(const arrow::Schema& columns, const Schema& writer) {
  const Node& record = writer.root();
  if (record.kind != Kind::kRecord) {
    return Status::NotImplemented("rows cannot be written as ", Describe(record),
                                  "; wrap it in a record");
  }
  ARROW_RETURN_NOT_OK(Compiler::CheckEveryColumnHasField(columns, record));
  std::vector<EncodeOp> ops;
  for (const Field& field : record.fields) {
    ARROW_ASSIGN_OR_RAISE(ops.emplace_back(), Compiler::Compile(field, columns));
  }
  Encoder encoder;
  encoder.ops_ = std::make_shared<const std::vector<EncodeOp>>(std::move(ops));
  encoder.columns_ = std::make_shared<const arrow::Schema>(columns);
  return encoder;
}

Status Encoder::Encode(const arrow::RecordBatch& rows, std::span<const uint8_t> prefix,
                       EncodedRows* out) const {
  std::vector<Source> sources;
  sources.reserve(ops_->size());
  for (const EncodeOp& op : *ops_) {
    if (op.column < 0) {
      sources.push_back({.is_union = true, .null_branch = op.null_branch});
      continue;
    }
    const arrow::Field& column = *columns_->field(op.column);
    if (op.column >= rows.num_columns() ||
        !rows.column_data(op.column)->type->Equals(column.type())) {
      return Misfit(column, "is of another type in these rows: ", rows.schema()->ToString());
    }
    ARROW_ASSIGN_OR_RAISE(sources.emplace_back(), Bind(op, column, *rows.column_data(op.column)));
  }
  out->bytes.resize(MostBytes(sources, rows.num_rows(), prefix.size()));
  out->offsets.resize(rows.num_rows() + 1);
  out->offsets[0] = 0;
  RowWriter writer(sources, out->bytes.data());
  for (int64_t row = 0; row < rows.num_rows(); ++row) {
    out->offsets[row + 1] = writer.WriteRow(row, prefix) - out->bytes.data();
  }
  out->bytes.resize(out->offsets.back());
  return Status::OK();
}

}  // namespace shopstream::avro
