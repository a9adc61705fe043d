#include "avro/decode_program.h"

#include <arrow/type.h>

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "avro/compatibility.h"
#include "avro/decoder.h"
#include "avro/default_value.h"
#include "avro/layout.h"
#include "avro/node.h"
#include "avro/nullable.h"

namespace shopstream::avro {
namespace {

constexpr const char* kTimestampMillis = "timestamp-millis";

Status NotYet(const std::string& field, const Node& type) {
  return Status::NotImplemented(
      "field \"", field, "\": ", Describe(type),
      " is not supported yet; supported are primitives, timestamp-millis and unions of one of "
      "these with null");
}

// The column of a type that is no union; none where there is none yet.
std::shared_ptr<arrow::DataType> ColumnType(const Node& type) {
  if (type.logical_type == kTimestampMillis) return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  if (type.logical_type == "uuid" && type.kind == Kind::kString) return arrow::utf8();
  if (!type.logical_type.empty()) return nullptr;
  switch (type.kind) {
    case Kind::kBoolean:
      return arrow::boolean();
    case Kind::kInt:
    case Kind::kLong:
      return arrow::int64();
    case Kind::kFloat:
    case Kind::kDouble:
      return arrow::float64();
    case Kind::kString:
      return arrow::utf8();
    case Kind::kBytes:
      return arrow::binary();
    default:
      return nullptr;
  }
}

// Promotes(writer, reader) holds.
DecodeCode ValueCode(Kind writer, const Node& reader) {
  if (reader.logical_type == kTimestampMillis) {
    return writer == Kind::kInt ? DecodeCode::kIntAsMillis : DecodeCode::kLongAsMillis;
  }
  switch (reader.kind) {
    case Kind::kFloat:
      if (writer == Kind::kInt) return DecodeCode::kIntAsFloat;
      return writer == Kind::kLong ? DecodeCode::kLongAsFloat : DecodeCode::kFloat;
    case Kind::kDouble:
      if (writer == Kind::kInt) return DecodeCode::kIntAsDouble;
      if (writer == Kind::kLong) return DecodeCode::kLongAsDouble;
      return writer == Kind::kFloat ? DecodeCode::kFloat : DecodeCode::kDouble;
    case Kind::kBoolean:
      return DecodeCode::kBoolean;
    case Kind::kString:
      return DecodeCode::kString;
    case Kind::kBytes:
      return DecodeCode::kBytes;
    default:
      return writer == Kind::kInt ? DecodeCode::kInt : DecodeCode::kLong;
  }
}

std::optional<DecodeOp> SkipOp(const Node& type) {
  DecodeOp op;
  switch (type.kind) {
    case Kind::kNull:
      op.code = DecodeCode::kSkipFixed;
      return op;
    case Kind::kBoolean:
      op.code = DecodeCode::kSkipBoolean;
      return op;
    case Kind::kInt:
    case Kind::kEnum:
      op.code = DecodeCode::kSkipInt;
      return op;
    case Kind::kLong:
      op.code = DecodeCode::kSkipLong;
      return op;
    case Kind::kFloat:
    case Kind::kDouble:
    case Kind::kFixed:
      op.code = DecodeCode::kSkipFixed;
      op.number = type.kind == Kind::kFixed ? type.size : type.kind == Kind::kFloat ? 4 : 8;
      return op;
    case Kind::kString:
    case Kind::kBytes:
      op.code = DecodeCode::kSkipText;
      return op;
    default:
      return std::nullopt;
  }
}

Status CheckReadableValues(const Schema& writer, const Schema& reader) {
  std::string reasons;
  for (const Incompatibility& found : CheckReadable(reader, writer)) {
    if (found.only_nulls) continue;
    reasons += (reasons.empty() ? "" : "; ") + std::string(Name(found.rule)) + " at " +
               (found.path.empty() ? "the root" : found.path) + ": " + found.message;
  }
  if (reasons.empty()) return Status::OK();
  return Status::Invalid("the reader's schema cannot read what the writer's wrote: ", reasons);
}

class Compiler {
 public:
  explicit Compiler(const Node& writer, const Node& reader) : writer_(writer), reader_(reader) {}

  Result<std::vector<DecodeOp>> Compile() {
    std::vector<bool> written(reader_.fields.size());
    for (const Field& field : writer_.fields) {
      const auto target = std::ranges::find_if(reader_.fields, [&](const Field& candidate) {
        return FindWritten(candidate, writer_) == &field;
      });
      if (target == reader_.fields.end()) {
        ARROW_RETURN_NOT_OK(AddSkip(field));
        continue;
      }
      const auto column = target - reader_.fields.begin();
      written[column] = true;
      ARROW_RETURN_NOT_OK(AddField(field, *target, static_cast<int32_t>(column)));
    }
    for (size_t column = 0; column < written.size(); ++column) {
      if (written[column]) continue;
      ARROW_RETURN_NOT_OK(AddDefault(reader_.fields[column], static_cast<int32_t>(column)));
    }
    return std::move(ops_);
  }

 private:
  void Add(DecodeCode code, int32_t column, uint8_t null_branch = 0) {
    DecodeOp op;
    op.code = code;
    op.column = column;
    op.null_branch = null_branch;
    ops_.push_back(std::move(op));
  }

  Status AddField(const Field& from, const Field& to, int32_t column) {
    const Nullable written = Nullable::Of(*from.type);
    const Nullable read = Nullable::Of(*to.type);
    if (ColumnType(*written.value) == nullptr && written.value->logical_type.empty()) {
      return NotYet(from.name, *from.type);
    }
    if (read.value->logical_type == kTimestampMillis && !written.value->logical_type.empty() &&
        written.value->logical_type != kTimestampMillis) {
      return Status::Invalid("field \"", to.name, "\": the writer's ", Describe(*written.value),
                             " would be read as ", Describe(*read.value),
                             ", another time; keep the logical type");
    }
    if (written.is_union) {
      Add(read.is_union ? DecodeCode::kNullable : DecodeCode::kNotNull, column,
          written.null_branch);
    }
    Add(ValueCode(written.value->kind, *read.value), column);
    if (read.is_union) Add(DecodeCode::kMarkValid, column);
    return Status::OK();
  }

  Status AddSkip(const Field& field) {
    const Nullable type = Nullable::Of(*field.type);
    std::optional<DecodeOp> op = SkipOp(*type.value);
    if (!op) return NotYet(field.name, *field.type);
    if (type.is_union) Add(DecodeCode::kSkipNullable, 0, type.null_branch);
    ops_.push_back(*std::move(op));
    return Status::OK();
  }

  Status AddDefault(const Field& field, int32_t column) {
    const Nullable type = Nullable::Of(*field.type);
    const nlohmann::json& value = *field.default_value;  // CheckReadable has seen it.
    if (value.is_null()) {
      Add(DecodeCode::kNull, column);
      return Status::OK();
    }
    DecodeOp op;
    op.code = DecodeCode::kConstant;
    op.column = column;
    ARROW_RETURN_NOT_OK(SetConstant(field.name, *type.value, value, &op));
    ops_.push_back(std::move(op));
    if (type.is_union) Add(DecodeCode::kMarkValid, column);
    return Status::OK();
  }

  static Status SetConstant(const std::string& field, const Node& type, const nlohmann::json& value,
                            DecodeOp* op) {
    switch (type.kind) {
      case Kind::kBoolean:
        op->number = value.get<bool>() ? 1 : 0;
        return Status::OK();
      case Kind::kFloat:
        op->number = std::bit_cast<int64_t>(double{value.get<float>()});
        return Status::OK();
      case Kind::kDouble:
        op->number = std::bit_cast<int64_t>(value.get<double>());
        return Status::OK();
      case Kind::kString:
        op->text = value.get<std::string>();
        return Status::OK();
      case Kind::kBytes:
        op->text = *BytesOfDefault(value.get_ref<const std::string&>());
        return Status::OK();
      default:
        op->number = value.get<int64_t>();
    }
    if (type.logical_type == kTimestampMillis &&
        __builtin_mul_overflow(op->number, int64_t{1000}, &op->number)) {
      return Status::Invalid("field \"", field, "\": its default is a timestamp beyond the years ",
                             "that microseconds can hold");
    }
    return Status::OK();
  }

  const Node& writer_;
  const Node& reader_;
  std::vector<DecodeOp> ops_;
};

}  // namespace

Result<std::shared_ptr<arrow::Schema>> ToArrowSchema(const Schema& reader) {
  const Node& root = reader.root();
  if (root.kind != Kind::kRecord) {
    return Status::NotImplemented("a ", Describe(root),
                                  " at the root of a schema has no columns; wrap it in a record");
  }
  arrow::FieldVector fields;
  for (const Field& field : root.fields) {
    const Nullable type = Nullable::Of(*field.type);
    auto column = ColumnType(*type.value);
    if (column == nullptr) return NotYet(field.name, *field.type);
    fields.push_back(arrow::field(field.name, std::move(column), type.is_union));
  }
  return arrow::schema(std::move(fields));
}

Result<DecodeProgram> DecodeProgram::Compile(const Schema& writer, const Schema& reader) {
  ARROW_ASSIGN_OR_RAISE(const auto columns, ToArrowSchema(reader));
  ARROW_RETURN_NOT_OK(CheckReadableValues(writer, reader));
  if (writer.root().kind != Kind::kRecord) {
    return Status::NotImplemented("the writer's schema is a ", Describe(writer.root()),
                                  "; only records can be decoded yet");
  }
  DecodeProgram program;
  ARROW_ASSIGN_OR_RAISE(program.ops, Compiler(writer.root(), reader.root()).Compile());
  for (const DecodeOp& op : program.ops) {
    program.longest_text = std::max(program.longest_text, static_cast<int64_t>(op.text.size()));
  }
  program.shape = ShapeOf(*columns, columns->num_fields());
  return program;
}

}  // namespace shopstream::avro
