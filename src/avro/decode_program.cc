#include "avro/decode_program.h"

#include <arrow/type.h>
#include <arrow/util/checked_cast.h>

#include <algorithm>
#include <utility>

#include "avro/column_types.h"
#include "avro/compatibility.h"
#include "avro/decode_code.h"
#include "avro/decode_place.h"
#include "avro/default_value.h"
#include "avro/layout.h"
#include "avro/node.h"
#include "avro/nullable.h"
#include "avro/resolution.h"
#include "base/json.h"

namespace shopstream::avro {
namespace {

using arrow::DataType;

// Types that refer to other types could make a program grow without bound.
constexpr int kMaxSteps = 1 << 20;
constexpr int64_t kLongestUuid = 36;
constexpr int64_t kLongestDuration = 64;

// Bytes taken by a value, its members and their bitmaps, excluding text and items.
int64_t WidthOf(const DataType& type) {
  int64_t bytes = 1;
  const auto layout = *LayoutOf(type);
  if (HasOffsets(layout)) return bytes + static_cast<int64_t>(sizeof(int32_t));
  bytes += ValueBytes(layout, 1);
  for (const auto& member : type.fields()) bytes += WidthOf(*member->type());
  return bytes;
}

Status CheckReadableValues(const Schema& writer, const Schema& reader, ResolvedTree* tree) {
  std::string reasons;
  for (const Incompatibility& found : CheckReadable(reader, writer, tree)) {
    if (found.only_nulls) continue;
    reasons += (reasons.empty() ? "" : "; ") + std::string(Name(found.rule)) + " at " +
               (found.path.empty() ? "the root" : found.path) + ": " + found.message;
  }
  if (reasons.empty()) return Status::OK();
  return Status::Invalid("the reader's schema cannot read the writer's data: ", reasons);
}

// The column that a value is written to.
struct Target {
  const DataType* type;
  int32_t column;
  bool may_be_null;   // Some op writes a null there.
  std::string place;  // See DecodeProgram::places.
};

// Turns the resolved tree into ops. Incompatible types have already been refused, except nulls.
class DecodeCompiler {
 public:
  explicit DecodeCompiler(ResolvedTree* tree) : tree_(tree) {}

  Result<DecodeProgram> Compile(const Node& writer, const Node& reader,
                                const arrow::Schema& columns) {
    ARROW_RETURN_NOT_OK(
        AddFields(tree_->Resolve(writer, reader), columns.fields(), {nullptr, 0, false, ""}));
    return std::move(program_);
  }

 private:
  DecodeOp& Add(DecodeCode code, const Target& target) {
    DecodeOp& op = program_.ops.emplace_back();
    op.code = code;
    op.column = target.column;
    program_.places.push_back(target.place);
    return op;
  }

  // Adds an op together with the ops that belong to it, which `add` adds.
  template <typename AddOps>
  Status AddAround(DecodeOp op, const Target& target, AddOps add) {
    op.column = target.column;
    const size_t at = program_.ops.size();
    program_.ops.push_back(op);
    program_.places.push_back(target.place);
    ARROW_RETURN_NOT_OK(add());
    program_.ops[at].length = static_cast<int32_t>(program_.ops.size() - at - 1);
    return Status::OK();
  }

  Status Step(const std::string& place) {
    // Each op stores its place as text, so long names cost memory.
    steps_ += 1 + static_cast<int>(place.size() / 32);
    if (steps_ <= kMaxSteps) return Status::OK();
    return Unsupported(place, "the schemas unfold to more than ", kMaxSteps,
                       " types; make them smaller");
  }

  static std::string Readable(const std::string& place) {
    std::string path;
    for (const char c : place) path += c == kItemMark ? std::string("[]") : std::string(1, c);
    return "field \"" + path + "\": ";
  }

  template <typename... Args>
  static Status Broken(const std::string& place, Args&&... reason) {
    return Status::Invalid(Readable(place), std::forward<Args>(reason)...);
  }

  template <typename... Args>
  static Status Unsupported(const std::string& place, Args&&... reason) {
    return Status::NotImplemented(Readable(place), std::forward<Args>(reason)...);
  }

  static std::string Inside(const std::string& place, const std::string& name) {
    return place.empty() ? name : place + "." + name;
  }

  // Adds the fields of a record; `parent` holds their columns.
  Status AddFields(const Resolution& record, const arrow::FieldVector& columns,
                   const Target& parent) {
    std::vector<Target> targets;
    int32_t column = parent.type == nullptr ? 0 : parent.column + 1;
    for (const auto& field : columns) {
      targets.push_back(
          {field->type().get(), column, parent.may_be_null, Inside(parent.place, field->name())});
      column += ColumnCount(*field->type());
    }
    for (size_t i = 0; i < record.read_into.size(); ++i) {
      const Field& written = record.writer->fields[i];
      const size_t number = record.read_into[i];
      ARROW_RETURN_NOT_OK(
          number == Resolution::kSkipped
              ? AddSkip(*written.type, Inside(parent.place, written.name))
              : AddValue(*written.type, *record.reader->fields[number].type, targets[number]));
    }
    for (size_t i = 0; i < record.fields.size(); ++i) {
      if (record.fields[i].written != nullptr) continue;
      ARROW_RETURN_NOT_OK(AddDefault(record.reader->fields[i], targets[i]));
    }
    return Status::OK();
  }

  Status AddValue(const Node& writer, const Node& reader, Target target) {
    ARROW_RETURN_NOT_OK(Step(target.place));
    target.may_be_null |= UnionShape::Of(reader).has_null;
    if (writer.kind != Kind::kUnion) return AddBranch(writer, reader, target);
    reads_ = true;
    const Nullable written = Nullable::Of(writer);
    if (!written.is_union) return AddUnion(writer, reader, target);
    DecodeOp op;
    op.null_branch = written.null_branch;
    if (UnionShape::Of(reader).has_null) {
      op.code = DecodeCode::kNullable;
      return AddAround(op, target, [&] { return AddBranch(*written.value, reader, target); });
    }
    Add(DecodeCode::kNotNull, target).null_branch = written.null_branch;
    return AddBranch(*written.value, reader, target);
  }

  Status AddUnion(const Node& writer, const Node& reader, const Target& target) {
    DecodeOp op;
    op.code = DecodeCode::kUnion;
    op.table = static_cast<int32_t>(program_.branches.size());
    program_.branches.emplace_back();
    return AddAround(op, target, [&] {
      return AddBranches(writer, op.table, [&](const Node& branch) -> Status {
        if (branch.kind != Kind::kNull) return AddBranch(branch, reader, target);
        const bool nullable = UnionShape::Of(reader).has_null;
        Add(nullable ? DecodeCode::kNull : DecodeCode::kRefuseNull, target);
        return Status::OK();
      });
    });
  }

  template <typename AddOps>
  Status AddBranches(const Node& writer, int32_t table, AddOps add) {
    const size_t first = program_.ops.size();
    for (const Node* branch : writer.branches) {
      const auto begin = static_cast<int32_t>(program_.ops.size() - first);
      ARROW_RETURN_NOT_OK(add(*branch));
      const auto end = static_cast<int32_t>(program_.ops.size() - first);
      program_.branches[table].push_back({begin, end});
    }
    return Status::OK();
  }

  // Adds a value whose writer's type is not a union; the reader's type may be one.
  Status AddBranch(const Node& writer, const Node& reader, const Target& target) {
    if (writer.kind == Kind::kNull) {
      if (!UnionShape::Of(reader).has_null) {
        Add(DecodeCode::kRefuseNull, target);
      } else {
        Add(DecodeCode::kNull, target);
      }
      return Status::OK();
    }
    const Resolution& pair = tree_->Resolve(writer, reader);
    if (!pair.fits()) return Unreadable(pair, target);
    const bool in_union = pair.form == ResolutionForm::kReaderUnion;
    const Resolution& value = in_union ? tree_->Resolve(writer, pair.chosen()) : pair;
    const UnionShape shape = UnionShape::Of(reader);
    if (!shape.is_struct()) {
      ARROW_RETURN_NOT_OK(AddPlain(value, target));
    } else {
      Add(DecodeCode::kNullMembers, target);
      const auto member = std::ranges::find(shape.values, value.reader) - shape.values.begin();
      Target inner = target;
      inner.type = target.type->field(static_cast<int>(member))->type().get();
      inner.may_be_null = true;
      ++inner.column;
      for (int i = 0; i < member; ++i) inner.column += ColumnCount(*target.type->field(i)->type());
      ARROW_RETURN_NOT_OK(AddPlain(value, inner));
      Add(DecodeCode::kMarkValid, inner);
    }
    if (target.may_be_null) Add(DecodeCode::kMarkValid, target);
    return Status::OK();
  }

  static Status Unreadable(const Resolution& pair, const Target& target) {
    return Broken(target.place, "the writer's ", Describe(*pair.writer),
                  " cannot be read as the reader's ", Describe(*pair.reader));
  }

  // Neither is a union.
  Status AddPlain(const Resolution& pair, const Target& target) {
    if (!pair.fits()) return Unreadable(pair, target);
    const Node& writer = *pair.writer;
    const Node& reader = *pair.reader;
    switch (writer.kind) {
      case Kind::kRecord:
        return AddRecord(pair, target);
      case Kind::kArray:
      case Kind::kMap:
        return AddItems(writer, reader, target);
      case Kind::kEnum:
        return AddEnum(pair, target);
      case Kind::kFixed:
        reads_ |= writer.size > 0;
        return AddFixed(writer, reader, target);
      default:
        reads_ = true;
        if (reader.logical_type == "decimal") return AddDecimal(kVariableSize, reader, target);
        Add(PrimitiveCode(writer.kind, reader), target);
        return Status::OK();
    }
  }

  Status AddRecord(const Resolution& pair, const Target& target) {
    const bool is_empty = pair.reader->fields.empty();
    if (is_empty) Add(DecodeCode::kNullMembers, target);
    return AddFields(pair, is_empty ? arrow::FieldVector{} : target.type->fields(), target);
  }

  Status AddItems(const Node& writer, const Node& reader, const Target& target) {
    const bool is_map = writer.kind == Kind::kMap;
    const DataType& list = *target.type;
    Target item = target;
    item.may_be_null = false;
    item.place += kItemMark;
    item.column += is_map ? 3 : 1;  // The entries and the key come before the value.
    item.type = is_map
                    ? arrow::internal::checked_cast<const arrow::MapType&>(list).item_type().get()
                    : list.field(0)->type().get();
    const int64_t cost = std::exchange(item_cost_, WidthOf(*list.field(0)->type()));
    const int lists = lists_++;
    reads_ = false;
    const size_t at = program_.ops.size();
    DecodeOp op;
    op.code = is_map ? DecodeCode::kMap : DecodeCode::kArray;
    ARROW_RETURN_NOT_OK(
        AddAround(op, target, [&] { return AddValue(*writer.items, *reader.items, item); }));
    program_.ops[at].number = item_cost_;
    program_.ops[at].table = is_map || reads_ ? 0 : 1;
    lists_ = lists;
    item_cost_ = cost;
    reads_ = true;
    return Status::OK();
  }

  Status AddEnum(const Resolution& pair, const Target& target) {
    DecodeOp& op = Add(DecodeCode::kEnum, target);
    op.table = static_cast<int32_t>(program_.texts.size());
    auto& texts = program_.texts.emplace_back();
    for (const std::string* symbol : pair.symbols) {
      texts.push_back(*symbol);
      MayPut(static_cast<int64_t>(symbol->size()));
    }
    reads_ = true;
    return Status::OK();
  }

  Status AddFixed(const Node& writer, const Node& reader, const Target& target) {
    if (reader.logical_type == "decimal") return AddDecimal(writer.size, reader, target);
    DecodeCode code = DecodeCode::kFixed;
    if (reader.logical_type == "uuid") code = DecodeCode::kUuid;
    if (reader.logical_type == "duration") code = DecodeCode::kDuration;
    if (code == DecodeCode::kUuid) MayPut(kLongestUuid);
    if (code == DecodeCode::kDuration) MayPut(kLongestDuration);
    Add(code, target).number = writer.size;
    return Status::OK();
  }

  Status AddDecimal(int64_t size, const Node& reader, const Target& target) {
    const bool is_text = target.type->id() == arrow::Type::STRING;
    const bool is_double = target.type->id() == arrow::Type::DOUBLE;
    DecodeOp& op = Add(is_text     ? DecodeCode::kDecimalText
                       : is_double ? DecodeCode::kDecimalDouble
                                   : DecodeCode::kDecimal,
                       target);
    op.number = size;
    op.table = static_cast<int32_t>(program_.decimals.size());
    program_.decimals.push_back({reader.precision, reader.scale});
    if (is_text) MayPut(reader.precision + 3);  // Sign, leading zero and decimal point.
    return Status::OK();
  }

  // Accounts for text that is not copied from the record.
  void MayPut(int64_t text) {
    if (lists_ > 0) {
      item_cost_ += text;
    } else {
      program_.longest_text = std::max(program_.longest_text, text);
    }
  }

  Status AddDefault(const Field& field, const Target& target) {
    const Node& type = *field.type;
    if (!field.default_valid) {
      return Broken(target.place, "is not written and has no valid default; give it one");
    }
    if (field.default_value->is_null() && UnionShape::Of(type).has_null) {
      Add(DecodeCode::kNull, target);
      return Status::OK();
    }
    DecodeOp op;
    op.code = DecodeCode::kDefault;
    op.table = static_cast<int32_t>(program_.constants.size());
    std::string& constant = program_.constants.emplace_back();
    EncodeDefault(*field.default_value, type, &constant);
    MayPut(static_cast<int64_t>(constant.size()) * (lists_ > 0 ? kLargestGrowth : 1));
    const bool reads = reads_;
    ARROW_RETURN_NOT_OK(AddAround(op, target, [&] { return AddValue(type, type, target); }));
    reads_ = reads;
    return Status::OK();
  }

  Status AddSkip(const Node& type, const std::string& place) {
    ARROW_RETURN_NOT_OK(Step(place));
    const Target target{nullptr, 0, false, place};
    if (type.kind != Kind::kRecord) {
      reads_ |= type.kind != Kind::kNull && !(type.kind == Kind::kFixed && type.size == 0);
    }
    switch (type.kind) {
      case Kind::kNull:
        return Status::OK();
      case Kind::kRecord:
        return SkipRecord(type, place);
      case Kind::kArray:
      case Kind::kMap:
        return SkipItems(type, target);
      case Kind::kUnion:
        return SkipUnion(type, target);
      case Kind::kBoolean:
        Add(DecodeCode::kSkipBoolean, target);
        return Status::OK();
      case Kind::kInt:
      case Kind::kEnum:
        Add(DecodeCode::kSkipInt, target);
        return Status::OK();
      case Kind::kLong:
        Add(DecodeCode::kSkipLong, target);
        return Status::OK();
      case Kind::kString:
      case Kind::kBytes:
        Add(DecodeCode::kSkipText, target);
        return Status::OK();
      case Kind::kFloat:
        Add(DecodeCode::kSkipFixed, target).number = 4;
        return Status::OK();
      case Kind::kDouble:
        Add(DecodeCode::kSkipFixed, target).number = 8;
        return Status::OK();
      case Kind::kFixed:
        if (type.size > 0) Add(DecodeCode::kSkipFixed, target).number = type.size;
        return Status::OK();
    }
    return Status::OK();
  }

  Status SkipRecord(const Node& type, const std::string& place) {
    if (std::ranges::find(open_, &type) != open_.end()) {
      return Unsupported(place, Describe(type),
                         " of the writer contains itself; recursive types are ",
                         "not supported, even if the reader omits them");
    }
    open_.push_back(&type);
    for (const Field& field : type.fields) {
      ARROW_RETURN_NOT_OK(AddSkip(*field.type, Inside(place, field.name)));
    }
    open_.pop_back();
    return Status::OK();
  }

  Status SkipUnion(const Node& type, const Target& target) {
    const Nullable nullable = Nullable::Of(type);
    DecodeOp op;
    op.null_branch = nullable.null_branch;
    if (nullable.is_union) {
      op.code = DecodeCode::kSkipNullable;
      return AddAround(op, target, [&] { return AddSkip(*nullable.value, target.place); });
    }
    op.code = DecodeCode::kSkipUnion;
    op.table = static_cast<int32_t>(program_.branches.size());
    program_.branches.emplace_back();
    return AddAround(op, target, [&] {
      return AddBranches(type, op.table,
                         [&](const Node& branch) { return AddSkip(branch, target.place); });
    });
  }

  Status SkipItems(const Node& type, const Target& target) {
    const std::string place = target.place + kItemMark;
    DecodeOp op;
    op.code = DecodeCode::kSkipBlocks;
    return AddAround(op, target, [&] {
      if (type.kind == Kind::kMap) Add(DecodeCode::kSkipText, {nullptr, 0, false, place});
      return AddSkip(*type.items, place);
    });
  }

  // A constant grows at most by this factor in columns: one byte may become a union's struct.
  static constexpr int64_t kLargestGrowth = 16;

  ResolvedTree* const tree_;
  DecodeProgram program_;
  std::vector<const Node*> open_;  // The writer's records that enclose the skipped value.
  int64_t item_cost_ = 0;          // For the innermost list.
  int lists_ = 0;                  // Enclosing lists.
  int steps_ = 0;
  bool reads_ = false;  // Something was added that takes at least one byte.
};

}  // namespace

Result<DecodeProgram> DecodeProgram::Compile(const Schema& writer, const Schema& reader,
                                             const ColumnOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto columns, ToArrowSchema(reader, options));
  ResolvedTree tree;
  ARROW_RETURN_NOT_OK(CheckReadableValues(writer, reader, &tree));
  if (writer.root().kind != Kind::kRecord) {
    return Status::NotImplemented("the writer's schema is a ", Describe(writer.root()),
                                  "; only records can be decoded");
  }
  ARROW_ASSIGN_OR_RAISE(DecodeProgram program,
                        DecodeCompiler(&tree).Compile(writer.root(), reader.root(), *columns));
  program.shape = ShapeOf(*columns, columns->num_fields());
  return program;
}

}  // namespace shopstream::avro
