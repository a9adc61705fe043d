// For generated pairs of schemas, decoder, compatibility check and merge agree with a reader of
// values that follows the resolved tree and does not use columns.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "avro/binary.h"
#include "avro/compatibility.h"
#include "avro/decoder.h"
#include "avro/merge.h"
#include "avro/random_pair.h"
#include "avro/resolution.h"
#include "avro/testing.h"

namespace shopstream::avro {
namespace {

using nlohmann::json;

constexpr uint32_t kPairs = 6'000;
constexpr int kValues = 60;  // Enough to write every branch of every union.

// A value of the writer's type; its content depends on the type.
struct Value {
  int64_t number = 0;  // Also the branch of a union, the symbol of an enum.
  std::string text;
  std::string key;  // Of a map's item.
  std::vector<Value> inner;
};

// Values whose unions cycle through their branches.
class Values {
 public:
  explicit Values(uint32_t seed) : random_(seed) {}

  // `place` differs for each place of a type in the writer's schema.
  Value Make(const Node& type, uint64_t place = 0) {
    uint64_t inside = place * 31;
    Value value;
    value.number = static_cast<int64_t>(random_() % 1000) - 500;
    value.text = std::to_string(random_() % 100);
    switch (type.kind) {
      case Kind::kBoolean:
        value.number = random_() % 2;
        break;
      case Kind::kEnum:
        value.number = static_cast<int64_t>(random_() % type.symbols.size());
        break;
      case Kind::kFixed:
        value.text.resize(type.size, '-');
        break;
      case Kind::kRecord:
        for (const Field& field : type.fields) value.inner.push_back(Make(*field.type, ++inside));
        break;
      case Kind::kArray:
      case Kind::kMap:
        for (size_t i = random_() % 2; i < 2; ++i) {
          value.inner.push_back(Make(*type.items, ++inside));
          value.inner.back().key = "k" + std::to_string(i);
        }
        break;
      case Kind::kUnion:
        value.number = static_cast<int64_t>(turns_[place]++ % type.branches.size());
        value.inner.push_back(Make(*type.branches[value.number], inside + value.number + 1));
        break;
      default:
        break;
    }
    return value;
  }

 private:
  std::mt19937_64 random_;
  std::map<uint64_t, size_t> turns_;
};

void PutLong(int64_t number, std::vector<uint8_t>* out) {
  uint8_t bytes[kMaxLongBytes];
  out->insert(out->end(), bytes, PutVarint(ZigZag(number), bytes));
}

void PutText(const std::string& text, std::vector<uint8_t>* out) {
  PutLong(static_cast<int64_t>(text.size()), out);
  out->insert(out->end(), text.begin(), text.end());
}

template <typename T>
void PutReal(T number, std::vector<uint8_t>* out) {
  const auto bytes = std::bit_cast<std::array<uint8_t, sizeof(T)>>(number);
  out->insert(out->end(), bytes.begin(), bytes.end());
}

void Encode(const Value& value, const Node& type, std::vector<uint8_t>* out) {
  switch (type.kind) {
    case Kind::kNull:
      return;
    case Kind::kBoolean:
      return out->push_back(static_cast<uint8_t>(value.number));
    case Kind::kInt:
    case Kind::kLong:
    case Kind::kEnum:
      return PutLong(value.number, out);
    case Kind::kFloat:
      return PutReal(static_cast<float>(value.number), out);
    case Kind::kDouble:
      return PutReal(static_cast<double>(value.number), out);
    case Kind::kBytes:
    case Kind::kString:
      return PutText(value.text, out);
    case Kind::kFixed:
      out->insert(out->end(), value.text.begin(), value.text.end());
      return;
    case Kind::kRecord:
      for (size_t i = 0; i < type.fields.size(); ++i) {
        Encode(value.inner[i], *type.fields[i].type, out);
      }
      return;
    case Kind::kArray:
    case Kind::kMap:
      PutLong(static_cast<int64_t>(value.inner.size()), out);
      for (const Value& item : value.inner) {
        if (type.kind == Kind::kMap) PutText(item.key, out);
        Encode(item, *type.items, out);
      }
      return PutLong(0, out);
    case Kind::kUnion:
      PutLong(value.number, out);
      return Encode(value.inner[0], *type.branches[value.number], out);
  }
}

// How the tree reads a value, in the JSON of its column. Nothing: a null that the reader cannot
// hold.
class TreeReader {
 public:
  std::optional<json> Read(const Value& value, const Node& writer, const Node& reader) {
    if (writer.kind == Kind::kNull) {
      if (UnionShape::Of(reader).has_null) return json();
      return std::nullopt;
    }
    const Resolution& pair = tree_.Resolve(writer, reader);
    EXPECT_TRUE(pair.fits()) << Describe(writer) << " as " << Describe(reader);
    switch (pair.form) {
      case ResolutionForm::kWriterUnion:
        return Read(value.inner[0], *writer.branches[value.number], reader);
      case ResolutionForm::kReaderUnion:
        return AsMember(Read(value, writer, pair.chosen()), pair);
      case ResolutionForm::kRecord:
        return ReadRecord(value, pair);
      case ResolutionForm::kItems:
        return ReadItems(value, pair);
      case ResolutionForm::kValue:
        return ReadValue(value, pair);
    }
    return std::nullopt;
  }

 private:
  static std::optional<json> AsMember(std::optional<json> value, const Resolution& pair) {
    const UnionShape shape = UnionShape::Of(*pair.reader);
    if (!value || !shape.is_struct()) return value;
    const std::vector<std::string> names = UnionMembers(shape);
    json members = json::object();
    for (size_t i = 0; i < names.size(); ++i) {
      members[names[i]] = shape.values[i] == &pair.chosen() ? *value : json();
    }
    return members;
  }

  std::optional<json> ReadRecord(const Value& value, const Resolution& pair) {
    json fields = json::object();
    if (pair.reader->fields.empty()) fields[kEmptyRecordMember] = nullptr;
    for (size_t i = 0; i < pair.fields.size(); ++i) {
      const Field& field = pair.reader->fields[i];
      const Field* written = pair.fields[i].written;
      if (written == nullptr) {
        fields[field.name] = *field.default_value;
        continue;
      }
      const size_t number = written - pair.writer->fields.data();
      auto read = Read(value.inner[number], *written->type, *field.type);
      if (!read) return std::nullopt;
      fields[field.name] = std::move(*read);
    }
    return fields;
  }

  std::optional<json> ReadItems(const Value& value, const Resolution& pair) {
    json items = json::array();
    for (const Value& item : value.inner) {
      auto read = Read(item, *pair.writer->items, *pair.reader->items);
      if (!read) return std::nullopt;
      const bool is_map = pair.reader->kind == Kind::kMap;
      items.push_back(is_map ? json::array({item.key, std::move(*read)}) : std::move(*read));
    }
    return items;
  }

  static json ReadValue(const Value& value, const Resolution& pair) {
    switch (pair.reader->kind) {
      case Kind::kBoolean:
        return value.number == 1;
      case Kind::kEnum:
        return *pair.symbols[value.number];
      case Kind::kBytes:
      case Kind::kString:
      case Kind::kFixed:
        return value.text;
      default:
        return value.number;
    }
  }

  ResolvedTree tree_;
};

// The paths that have a value in some row: "f", "f.X", "f[].g".
void FindValues(const json& value, const std::string& path, std::set<std::string>* found) {
  if (value.is_null()) return;
  found->insert(path);
  if (!value.is_structured()) return;
  for (const auto& [key, inner] : value.items()) {
    FindValues(inner, value.is_array() ? path + "[]" : path + "." + key, found);
  }
}

void FindColumns(const arrow::DataType& type, const std::string& path,
                 std::set<std::string>* found) {
  found->insert(path);
  if (type.id() == arrow::Type::MAP) {  // Its items are pairs of key and value.
    found->insert(path + "[]");
    return FindColumns(*type.field(0)->type()->field(1)->type(), path + "[][]", found);
  }
  for (const auto& field : type.fields()) {
    const bool is_list = type.id() == arrow::Type::LIST;
    FindColumns(*field->type(), is_list ? path + "[]" : path + "." + field->name(), found);
  }
}

std::set<std::string> ColumnsOf(const Schema& schema) {
  std::set<std::string> found;
  const auto columns = ValueOf(ToArrowSchema(schema));
  for (const auto& field : columns->fields()) {
    FindColumns(*field->type(), "." + field->name(), &found);
  }
  return found;
}

// One generated pair, if its schemas are valid.
class Case {
 public:
  static std::optional<Case> Make(uint32_t seed) {
    const RandomPair pair(seed);
    const auto writer = Schema::Parse(pair.writer.dump());
    const auto reader = Schema::Parse(pair.reader.dump());
    if (!writer.ok() || !reader.ok()) return std::nullopt;
    return Case(seed, *writer, *reader);
  }

  bool IsReadable() const {
    for (const Incompatibility& found : CheckReadable(reader_, writer_)) {
      if (!found.only_nulls) return false;
    }
    return true;
  }
  bool ReadsEverything() const { return CheckReadable(reader_, writer_).empty(); }

  // Expects every value to be read as the tree says; returns the paths that have a value.
  std::set<std::string> ExpectRows(const Schema& reader, bool may_refuse_nulls) const {
    const Decoder decoder = ValueOf(Decoder::Compile(writer_, reader));
    const auto schema = ValueOf(ToArrowSchema(reader));
    Columns columns(schema);
    Values values(seed_);
    TreeReader tree;
    json rows = json::array();
    std::set<std::string> found;
    for (int i = 0; i < kValues; ++i) {
      const Value value = values.Make(writer_.root());
      std::vector<uint8_t> body;
      Encode(value, writer_.root(), &body);
      auto row = tree.Read(value, writer_.root(), reader.root());
      EXPECT_TRUE(row || may_refuse_nulls);
      std::string place;
      EXPECT_EQ(row ? DecodeResult::kRow : DecodeResult::kUnexpectedNull,
                decoder.Decode(body, &columns, &place))
          << place;
      if (!row) continue;
      row->erase(kEmptyRecordMember);  // Only nested records have it.
      FindValues(*row, "", &found);
      rows.push_back(std::move(*row));
    }
    const auto batch = ValueOf(columns.Finish());
    EXPECT_TRUE(batch->ValidateFull().ok()) << batch->ValidateFull();
    const auto expected = Rows(schema, rows.dump());
    EXPECT_TRUE(batch->Equals(*expected)) << batch->ToString() << expected->ToString();
    return found;
  }

  // The merged schema reads both, and every added column has values.
  void ExpectMerged(const Schema& merged, int* columns_checked) const {
    SCOPED_TRACE("merged " + merged.text());
    EXPECT_TRUE(CheckReadable(merged, reader_).empty());
    EXPECT_TRUE(Decoder::Compile(reader_, merged).ok());
    ASSERT_TRUE(CheckReadable(merged, writer_).empty());
    EXPECT_EQ(merged.text(), ValueOf(MergeSchemas(merged, writer_)).text());
    EXPECT_EQ(merged.text(), ValueOf(MergeSchemas(merged, reader_)).text());
    const std::set<std::string> filled = ExpectRows(merged, /*may_refuse_nulls=*/false);
    const std::set<std::string> before = ColumnsOf(reader_);
    const std::set<std::string> after = ColumnsOf(merged);
    // Another branch with the same short name renames the members of a union, which a table
    // refuses. A name that is used twice brings all its members to both places.
    std::set<const Node*> named;
    if (!std::ranges::includes(after, before) || !NamesEachOnce(merged.root(), &named)) return;
    ++*columns_checked;
    for (const std::string& column : after) {
      if (column.ends_with(kEmptyRecordMember)) continue;
      EXPECT_TRUE(before.contains(column) || filled.contains(column)) << column << " is all null";
    }
  }

  // A name means a record on one side and, say, an enum on the other: no table can hold both.
  bool HasClash() const {
    std::map<std::string, Kind> kinds;
    return !AddNames(writer_.root(), &kinds) || !AddNames(reader_.root(), &kinds);
  }

  const Schema& writer() const { return writer_; }
  const Schema& reader() const { return reader_; }

 private:
  Case(uint32_t seed, Schema writer, Schema reader)
      : seed_(seed), writer_(std::move(writer)), reader_(std::move(reader)) {}

  static bool AddNames(const Node& node, std::map<std::string, Kind>* kinds) {
    if (node.is_named() && kinds->emplace(node.name, node.kind).first->second != node.kind) {
      return false;
    }
    bool fits = node.items == nullptr || AddNames(*node.items, kinds);
    for (const Node* branch : node.branches) fits = fits && AddNames(*branch, kinds);
    for (const Field& field : node.fields) fits = fits && AddNames(*field.type, kinds);
    return fits;
  }

  static bool NamesEachOnce(const Node& node, std::set<const Node*>* named) {
    if (node.is_named() && !named->insert(&node).second) return false;
    bool once = node.items == nullptr || NamesEachOnce(*node.items, named);
    for (const Node* branch : node.branches) once = once && NamesEachOnce(*branch, named);
    for (const Field& field : node.fields) once = once && NamesEachOnce(*field.type, named);
    return once;
  }

  uint32_t seed_;
  Schema writer_, reader_;
};

TEST(ResolutionPropertyTest, CheckDecoderAndMergeAgree) {
  int readable = 0, refused = 0, merged = 0, unmerged = 0, columns_checked = 0;
  for (uint32_t seed = 0; seed < kPairs && !testing::Test::HasFailure(); ++seed) {
    const auto pair = Case::Make(seed);
    if (!pair) continue;
    SCOPED_TRACE("seed " + std::to_string(seed) + "\nwriter " + pair->writer().text() +
                 "\nreader " + pair->reader().text());
    const Status compiled = Decoder::Compile(pair->writer(), pair->reader()).status();
    ASSERT_EQ(pair->IsReadable(), compiled.ok()) << compiled;
    ++(compiled.ok() ? readable : refused);
    if (compiled.ok()) pair->ExpectRows(pair->reader(), !pair->ReadsEverything());

    const auto table = MergeSchemas(pair->reader(), pair->writer());
    ++(table.ok() ? merged : unmerged);
    if (table.ok()) {
      pair->ExpectMerged(*table, &columns_checked);
    } else {
      ASSERT_TRUE(table.status().IsInvalid() && !table.status().message().empty());
      ASSERT_TRUE(!pair->ReadsEverything() || pair->HasClash()) << table.status();
    }
  }
  // Each outcome was generated often enough to be meaningful.
  EXPECT_GT(readable, 200);
  EXPECT_GT(refused, 500);
  EXPECT_GT(merged, 500);
  EXPECT_GT(unmerged, 500);
  EXPECT_GT(columns_checked, 500);
}

}  // namespace
}  // namespace shopstream::avro
