#include "avro/encode_program.h"

#include <arrow/type.h>
#include <arrow/util/checked_cast.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "avro/column_types.h"
#include "avro/node.h"

namespace shopstream::avro {
namespace {

using arrow::Type;
using arrow::internal::checked_cast;

std::string NameOf(const std::string& path, const arrow::DataType& type) {
  return "column " + path + " (" + type.ToString() + ")";
}

bool IsTimestamp(const arrow::DataType& type, arrow::TimeUnit::type unit) {
  return type.id() == Type::TIMESTAMP &&
         checked_cast<const arrow::TimestampType&>(type).unit() == unit;
}

std::optional<EncodeCode> CodeOfText(const Node& type) {
  const std::string& logical = type.logical_type;
  if (logical == "decimal" && type.precision > kMaxDecimal128Digits) {
    return EncodeCode::kDecimalText;
  }
  if (logical == "duration") return EncodeCode::kDuration;
  if (logical == "uuid" && type.kind == Kind::kFixed) return EncodeCode::kUuid;
  if (type.kind == Kind::kEnum) return EncodeCode::kEnum;
  if (type.kind == Kind::kNull) return EncodeCode::kNull;
  if (type.kind == Kind::kString) return EncodeCode::kText;
  return type.kind == Kind::kBytes && logical.empty() ? std::optional(EncodeCode::kText)
                                                      : std::nullopt;
}

std::optional<EncodeCode> CodeOfInteger(Type::type column, const Node& type) {
  const std::string& logical = type.logical_type;
  // Only a column with the same meaning can guarantee what a logical type promises about values.
  if (!logical.empty() && !logical.starts_with("time-") && !logical.starts_with("local-")) {
    return std::nullopt;
  }
  if (column == Type::INT32) {
    if (type.kind == Kind::kInt || type.kind == Kind::kLong) return EncodeCode::kInt32;
    if (type.kind == Kind::kDouble) return EncodeCode::kInt32AsDouble;
    return std::nullopt;
  }
  if (type.kind == Kind::kLong) return EncodeCode::kInt64;
  return type.kind == Kind::kInt ? std::optional(EncodeCode::kInt64AsInt) : std::nullopt;
}

std::optional<EncodeCode> CodeOfTimestamp(const arrow::DataType& column, const Node& type) {
  const std::string& logical = type.logical_type;
  if (type.kind != Kind::kLong) return std::nullopt;
  if (IsTimestamp(column, arrow::TimeUnit::MILLI)) {
    const bool fits = logical.empty() || logical == "timestamp-millis";
    return fits ? std::optional(EncodeCode::kInt64) : std::nullopt;
  }
  if (!IsTimestamp(column, arrow::TimeUnit::MICRO)) return std::nullopt;
  if (logical == "timestamp-millis") return EncodeCode::kMicrosAsMillis;
  if (logical == "timestamp-micros") return EncodeCode::kInt64;
  return logical == "timestamp-nanos" ? std::optional(EncodeCode::kMicrosAsNanos) : std::nullopt;
}

// For a type that is not a union.
std::optional<EncodeCode> CodeOf(const arrow::DataType& column, const Node& type) {
  const auto only = [](bool fits, EncodeCode code) {
    return fits ? std::optional(code) : std::nullopt;
  };
  switch (column.id()) {
    case Type::BOOL:
      return only(type.kind == Kind::kBoolean, EncodeCode::kBoolean);
    case Type::INT32:
    case Type::INT64:
      return CodeOfInteger(column.id(), type);
    case Type::DATE32:
      return only(type.logical_type == "date", EncodeCode::kInt32);
    case Type::TIMESTAMP:
      return CodeOfTimestamp(column, type);
    case Type::DOUBLE:
      if (type.kind == Kind::kFloat) return EncodeCode::kFloat;
      return only(type.kind == Kind::kDouble, EncodeCode::kDouble);
    case Type::STRING:
      return CodeOfText(type);
    case Type::BINARY:
      if (type.kind == Kind::kFixed) return only(type.logical_type.empty(), EncodeCode::kFixed);
      return only(type.kind == Kind::kBytes && type.logical_type != "decimal", EncodeCode::kText);
    case Type::DECIMAL128: {
      const auto& decimal = checked_cast<const arrow::Decimal128Type&>(column);
      return only(type.logical_type == "decimal" && type.precision == decimal.precision() &&
                      type.scale == decimal.scale(),
                  EncodeCode::kDecimal);
    }
    case Type::STRUCT:
      return only(type.kind == Kind::kRecord, EncodeCode::kRecord);
    case Type::LIST:
      return only(type.kind == Kind::kArray, EncodeCode::kArray);
    case Type::MAP:
      return only(type.kind == Kind::kMap, EncodeCode::kMap);
    default:
      return std::nullopt;
  }
}

class EncodeCompiler {
 public:
  // The fields of a record, from columns of these names.
  Result<std::vector<EncodeOp>> Fields(const Node& record, const arrow::FieldVector& columns,
                                       const std::string& path) {
    if (std::ranges::find(open_, &record) != open_.end()) {
      return Status::NotImplemented("column ", path, ": ", Describe(record),
                                    " contains itself; recursive types are not supported");
    }
    ARROW_RETURN_NOT_OK(CheckEveryColumnHasField(columns, record, path));
    open_.push_back(&record);
    std::vector<EncodeOp> ops;
    for (const Field& field : record.fields) {
      ARROW_ASSIGN_OR_RAISE(ops.emplace_back(), OfField(field, columns, path));
    }
    open_.pop_back();
    return ops;
  }

 private:
  static std::string Inside(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + "." + name;
  }

  static Status CheckEveryColumnHasField(const arrow::FieldVector& columns, const Node& record,
                                         const std::string& path) {
    for (const auto& column : columns) {
      const auto found = std::ranges::find(record.fields, column->name(), &Field::name);
      if (found != record.fields.end()) continue;
      if (record.fields.empty() && column->name() == kEmptyRecordMember) continue;
      return Status::Invalid(NameOf(Inside(path, column->name()), *column->type()),
                             " is not a field of ", Describe(record),
                             "; add the field to the schema, or drop the column");
    }
    return Status::OK();
  }

  Result<EncodeOp> OfField(const Field& field, const arrow::FieldVector& columns,
                           const std::string& path) {
    const auto named = [&](const auto& column) { return column->name() == field.name; };
    const auto found = std::ranges::find_if(columns, named);
    if (found != columns.end() && std::ranges::count_if(columns, named) == 1) {
      ARROW_ASSIGN_OR_RAISE(EncodeOp op,
                            OfType(*field.type, *(*found)->type(), Inside(path, field.name)));
      op.column = static_cast<int>(found - columns.begin());
      return op;
    }
    EncodeOp op;
    if (!UnionShape::Of(*field.type).has_null) {
      return Status::Invalid("field \"", Inside(path, field.name), "\" (", Describe(*field.type),
                             ") has no column, or more than one, and cannot be null; add the "
                             "column, or make the field a union with null");
    }
    op.branch = BranchOf(*field.type, nullptr);
    return op;
  }

  // The number of a union's branch (null: that of null); -1 if `type` is not a union.
  static int32_t BranchOf(const Node& type, const Node* value) {
    for (size_t i = 0; i < type.branches.size(); ++i) {
      const Node* branch = type.branches[i];
      if (value == nullptr ? branch->kind == Kind::kNull : branch == value) {
        return static_cast<int32_t>(i);
      }
    }
    return -1;
  }

  Result<EncodeOp> OfType(const Node& type, const arrow::DataType& column,
                          const std::string& path) {
    const UnionShape shape = UnionShape::Of(type);
    if (shape.is_struct()) return OfUnion(type, shape, column, path);
    EncodeOp op;
    op.name = NameOf(path, column);
    if (shape.values.empty()) {
      if (column.id() != Type::STRING) return Misfit(type, op.name);
      op.branch = BranchOf(type, nullptr);
      return op;
    }
    const Node& value = *shape.values.front();
    const auto code = CodeOf(column, value);
    if (!code) return Misfit(type, op.name);
    op.code = *code;
    op.branch = BranchOf(type, &value);
    op.null_branch = BranchOf(type, nullptr);
    op.precision = value.precision;
    op.scale = value.scale;
    if (value.kind == Kind::kFixed) op.size = value.size;
    for (const std::string& symbol : value.symbols) {
      op.symbols.emplace(symbol, static_cast<int64_t>(op.symbols.size()));
    }
    ARROW_RETURN_NOT_OK(AddInner(value, column, path, &op));
    return op;
  }

  Status AddInner(const Node& value, const arrow::DataType& column, const std::string& path,
                  EncodeOp* op) {
    if (op->code == EncodeCode::kRecord) {
      ARROW_ASSIGN_OR_RAISE(op->inner, Fields(value, column.fields(), path));
    } else if (op->code == EncodeCode::kArray) {
      ARROW_ASSIGN_OR_RAISE(op->inner.emplace_back(),
                            OfType(*value.items, *column.field(0)->type(), path + "[]"));
    } else if (op->code == EncodeCode::kMap) {
      const auto& map = checked_cast<const arrow::MapType&>(column);
      if (map.key_type()->id() != Type::STRING) return Misfit(value, op->name);
      EncodeOp& key = op->inner.emplace_back();
      key.code = EncodeCode::kText;
      key.name = NameOf(path + "{}", *map.key_type());
      ARROW_ASSIGN_OR_RAISE(op->inner.emplace_back(),
                            OfType(*value.items, *map.item_type(), path + "{}"));
    }
    return Status::OK();
  }

  Result<EncodeOp> OfUnion(const Node& type, const UnionShape& shape, const arrow::DataType& column,
                           const std::string& path) {
    EncodeOp op;
    op.code = EncodeCode::kUnion;
    op.name = NameOf(path, column);
    op.null_branch = BranchOf(type, nullptr);
    if (column.id() != Type::STRUCT) return Misfit(type, op.name);
    const auto& members = checked_cast<const arrow::StructType&>(column);
    const std::vector<std::string> names = UnionMembers(shape);
    for (size_t i = 0; i < names.size(); ++i) {
      const int member = members.GetFieldIndex(names[i]);
      if (member < 0) return Misfit(type, op.name);
      ARROW_ASSIGN_OR_RAISE(
          EncodeOp& value = op.inner.emplace_back(),
          OfType(*shape.values[i], *members.field(member)->type(), Inside(path, names[i])));
      value.column = member;
      value.branch = BranchOf(type, shape.values[i]);
    }
    return op;
  }

  static Status Misfit(const Node& type, const std::string& name) {
    return Status::NotImplemented(name, " cannot be written as ", Describe(type),
                                  "; change the field's type in the schema");
  }

  std::vector<const Node*> open_;  // The enclosing records.
};

}  // namespace

Result<std::vector<EncodeOp>> CompileEncodeOps(const arrow::Schema& columns, const Schema& writer) {
  const Node& record = writer.root();
  if (record.kind != Kind::kRecord) {
    return Status::NotImplemented("rows cannot be written as ", Describe(record),
                                  "; wrap it in a record");
  }
  return EncodeCompiler().Fields(record, columns.fields(), "");
}

}  // namespace shopstream::avro
