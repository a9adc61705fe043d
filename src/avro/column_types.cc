#include "avro/column_types.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/unicode_names.h"

namespace shopstream::avro {
namespace {

constexpr size_t kLongestPath = 200;  // In messages.

// Paths name a type's place in the schema: "order.lines[].price".
class ColumnTypes {
 public:
  explicit ColumnTypes(const ColumnOptions& options) : options_(options) {}

  const std::vector<std::string>& wide() const { return wide_; }
  // Also lists the path of each type in `paths`.
  explicit ColumnTypes(const ColumnOptions& options, std::vector<std::string>* paths)
      : options_(options), paths_(paths) {}

  Result<std::shared_ptr<arrow::DataType>> TypeOf(const Node& type, const std::string& path) {
    if (++columns_ > kMaxColumns) {
      return Status::NotImplemented("field \"", path, "\": the schema has more than ", kMaxColumns,
                                    " columns, members included; split it into several topics");
    }
    if (depth_ == kMaxColumnDepth) {
      return Status::NotImplemented("field \"", path.substr(0, kLongestPath),
                                    "\": types nest more than ", kMaxColumnDepth,
                                    " deep in it; flatten it");
    }
    if (paths_ != nullptr) paths_->push_back(WithoutMarks(path));
    ++depth_;
    auto column = ColumnOf(type, path);
    --depth_;
    return column;
  }

  Result<arrow::FieldVector> FieldsOf(const Node& record, const std::string& path) {
    if (std::ranges::find(open_, &record) != open_.end()) {
      return Status::NotImplemented("field \"", path, "\": ", Describe(record),
                                    " contains itself, and a table has no recursive type; flatten "
                                    "it, or send the parts as separate records");
    }
    open_.push_back(&record);
    arrow::FieldVector fields;
    for (const Field& field : record.fields) {
      ARROW_ASSIGN_OR_RAISE(
          auto type, TypeOf(*field.type, path.empty() ? field.name : path + "." + field.name));
      fields.push_back(arrow::field(field.name, std::move(type)));
    }
    open_.pop_back();
    return fields;
  }

 private:
  Result<std::shared_ptr<arrow::DataType>> ColumnOf(const Node& type, const std::string& path) {
    const UnionShape shape = UnionShape::Of(type);
    if (shape.is_struct()) return UnionType(shape, path);
    if (shape.values.empty()) return arrow::utf8();
    const Node& value = *shape.values.front();
    switch (value.kind) {
      case Kind::kRecord:
        return RecordType(value, path);
      case Kind::kArray: {
        ARROW_ASSIGN_OR_RAISE(auto items, TypeOf(*value.items, path + "[]"));
        return arrow::list(arrow::field("element", std::move(items)));
      }
      case Kind::kMap: {
        columns_ += 2;  // The entries and the key.
        ARROW_ASSIGN_OR_RAISE(auto values, TypeOf(*value.items, path + "{}"));
        return arrow::map(arrow::utf8(), arrow::field("value", std::move(values)));
      }
      default:
        return LeafType(value, path);
    }
  }

  Result<std::shared_ptr<arrow::DataType>> RecordType(const Node& type, const std::string& path) {
    ARROW_ASSIGN_OR_RAISE(auto fields, FieldsOf(type, path));
    if (fields.empty()) fields.push_back(arrow::field(kEmptyRecordMember, arrow::utf8()));
    return arrow::struct_(std::move(fields));
  }

  Result<std::shared_ptr<arrow::DataType>> UnionType(const UnionShape& shape,
                                                     const std::string& path) {
    const std::vector<std::string> names = UnionMembers(shape);
    arrow::FieldVector members;
    for (size_t i = 0; i < names.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(auto type, TypeOf(*shape.values[i], path + "." + names[i]));
      members.push_back(arrow::field(names[i], std::move(type)));
    }
    return arrow::struct_(std::move(members));
  }

  // As in ColumnOptions.
  static std::string WithoutMarks(const std::string& path) {
    std::string plain;
    for (const char c : path) {
      if (std::string_view("[]{}").find(c) == std::string_view::npos) plain += c;
    }
    return plain;
  }

  Result<std::shared_ptr<arrow::DataType>> WideType(const Node& type, const std::string& path) {
    const std::string& plain = wide_.emplace_back(WithoutMarks(path));
    const auto found = options_.wide.find(plain);
    switch (found == options_.wide.end() ? options_.other : found->second) {
      case WideDecimal::kText:
        return arrow::utf8();
      case WideDecimal::kDouble:
        return arrow::float64();
      case WideDecimal::kDecimal:
        break;
    }
    if (type.scale <= kMaxDecimal128Digits) {
      return arrow::decimal128(kMaxDecimal128Digits, type.scale);
    }
    return Status::Invalid(
        "field \"", path, "\": a decimal with ", type.scale,
        " digits after the point does not fit decimal(38): choose text or double");
  }

  Result<std::shared_ptr<arrow::DataType>> LeafType(const Node& type, const std::string& path) {
    const std::string& logical = type.logical_type;
    if (logical == "decimal") {
      if (type.precision <= kMaxDecimal128Digits) {
        return arrow::decimal128(type.precision, type.scale);
      }
      if (type.precision <= kMaxDecimalDigits) return WideType(type, path);
      return Status::NotImplemented("field \"", path, "\": a decimal of ", type.precision,
                                    " digits; at most ", kMaxDecimalDigits, " are supported");
    }
    if (logical.starts_with("timestamp-")) return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    if (logical == "date") return arrow::date32();
    if (logical == "uuid" || logical == "duration") return arrow::utf8();
    switch (type.kind) {
      case Kind::kBoolean:
        return arrow::boolean();
      case Kind::kInt:
      case Kind::kLong:
        return arrow::int64();
      case Kind::kFloat:
      case Kind::kDouble:
        return arrow::float64();
      case Kind::kBytes:
      case Kind::kFixed:
        return arrow::binary();
      default:
        return arrow::utf8();
    }
  }

  const ColumnOptions& options_;
  std::vector<std::string>* const paths_ = nullptr;
  std::vector<std::string> wide_;
  std::vector<const Node*> open_;  // The enclosing records.
  int columns_ = 0;
  int depth_ = 0;
};

bool HasKind(const UnionShape& shape, Kind kind) {
  return std::ranges::any_of(shape.values, [&](const Node* value) {
    return value->kind == kind && value->logical_type.empty();
  });
}

std::string MemberName(const UnionShape& shape, const Node& value) {
  if (value.is_named()) return std::string(ShortName(value.name));
  if (!value.logical_type.empty()) {
    std::string name = value.logical_type;
    std::ranges::replace(name, '-', '_');
    return name;
  }
  if (value.kind == Kind::kInt && !HasKind(shape, Kind::kLong)) return Name(Kind::kLong);
  if (value.kind == Kind::kFloat && !HasKind(shape, Kind::kDouble)) return Name(Kind::kDouble);
  return Name(value.kind);
}

// Delta compares names case-insensitively.
std::map<std::string, int> Count(const std::vector<std::string>& names) {
  std::map<std::string, int> counts;
  for (const std::string& name : names) ++counts[FoldCase(name)];
  return counts;
}

}  // namespace

UnionShape UnionShape::Of(const Node& type) {
  UnionShape shape;
  if (type.kind == Kind::kNull) {
    shape.has_null = true;
  } else if (type.kind != Kind::kUnion) {
    shape.values.push_back(&type);
  }
  for (const Node* branch : type.branches) {
    if (branch->kind == Kind::kNull) {
      shape.has_null = true;
    } else {
      shape.values.push_back(branch);
    }
  }
  return shape;
}

std::vector<std::string> UnionMembers(const UnionShape& shape) {
  std::vector<std::string> names;
  for (const Node* value : shape.values) names.push_back(MemberName(shape, *value));
  const auto counts = Count(names);
  for (size_t i = 0; i < names.size(); ++i) {
    if (counts.at(FoldCase(names[i])) == 1 || !shape.values[i]->is_named()) continue;
    names[i] = shape.values[i]->name;
    std::ranges::replace(names[i], '.', '_');
  }
  std::map<std::string, int> seen;
  for (std::string& name : names) {
    const std::string wanted = name;
    for (int number = 1; !seen.emplace(FoldCase(name), 0).second;) {
      name = wanted + "_" + std::to_string(++number);
    }
  }
  return names;
}

namespace {

Result<arrow::FieldVector> FieldsOfRoot(const Node& root, ColumnTypes* types) {
  if (root.kind == Kind::kRecord) return types->FieldsOf(root, "");
  return Status::NotImplemented("a ", Describe(root),
                                " at the root of a schema has no columns; wrap it in a record");
}

}  // namespace

Result<std::shared_ptr<arrow::Schema>> ToArrowSchema(const Schema& reader,
                                                     const ColumnOptions& options) {
  ColumnTypes types(options);
  ARROW_ASSIGN_OR_RAISE(auto fields, FieldsOfRoot(reader.root(), &types));
  return arrow::schema(std::move(fields));
}

Result<std::vector<std::string>> WideDecimalPaths(const Schema& reader) {
  const ColumnOptions options;
  ColumnTypes types(options);
  ARROW_RETURN_NOT_OK(FieldsOfRoot(reader.root(), &types));
  return types.wide();
}

Result<std::vector<std::string>> TypePaths(const Schema& reader) {
  const ColumnOptions options;
  std::vector<std::string> paths;
  ColumnTypes types(options, &paths);
  ARROW_RETURN_NOT_OK(FieldsOfRoot(reader.root(), &types));
  return paths;
}

}  // namespace shopstream::avro
