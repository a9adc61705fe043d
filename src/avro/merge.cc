#include "avro/merge.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "avro/compatibility.h"
#include "avro/node.h"
#include "base/json.h"

namespace shopstream::avro {
namespace {

using nlohmann::json;
using NamedTypes = std::map<std::string, const Node*>;

void CollectNamed(const Node& node, NamedTypes* named) {
  if (node.is_named() && !named->emplace(node.name, &node).second) return;
  if (node.items != nullptr) CollectNamed(*node.items, named);
  for (const Node* branch : node.branches) CollectNamed(*branch, named);
  for (const Field& field : node.fields) CollectNamed(*field.type, named);
}

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

// By name, else by an alias that is no other field's name.
const Field* FindPartner(const Field& field, const Node& reader, const Node& writer) {
  const auto find = [](const Node& record, const std::string& name) -> const Field* {
    const auto found = std::ranges::find(record.fields, name, &Field::name);
    return found == record.fields.end() ? nullptr : &*found;
  };
  if (const Field* same = find(writer, field.name)) return same;
  for (const std::string& alias : field.aliases) {
    if (find(reader, alias) != nullptr) continue;
    if (const Field* aliased = find(writer, alias)) return aliased;
  }
  return nullptr;
}

// A column of the reader's type is that of the writer's too.
bool Widens(const Node& reader, const Node& writer) {
  return (reader.kind == Kind::kInt && writer.kind == Kind::kLong && reader.logical_type.empty()) ||
         (reader.kind == Kind::kFloat && writer.kind == Kind::kDouble);
}

bool SameBranch(const Node& reader, const Node& writer) {
  if (reader.kind != writer.kind) return false;
  return !reader.is_named() || ShortName(reader.name) == ShortName(writer.name) ||
         Contains(reader.aliases, writer.name);
}

bool PromotedBranch(const Node& reader, const Node& writer) {
  const bool to_text = reader.kind == Kind::kString || reader.kind == Kind::kBytes;
  const bool from_text = writer.kind == Kind::kString || writer.kind == Kind::kBytes;
  if (to_text || from_text) return to_text && from_text;
  const bool numbers = reader.kind >= Kind::kInt && reader.kind <= Kind::kDouble &&
                       writer.kind >= Kind::kInt && writer.kind <= Kind::kDouble;
  return numbers && (reader.kind > writer.kind || Widens(reader, writer));
}

std::vector<const Node*> BranchesOf(const Node& node) {
  return node.kind == Kind::kUnion ? node.branches : std::vector<const Node*>{&node};
}

bool StartsWithNull(const json& type) {
  return type.is_array() && !type.empty() && type.front() == "null";
}

// The type with null as its first branch.
json Optional(json type) {
  if (!type.is_array()) return type == "null" ? type : json::array({"null", std::move(type)});
  json branches = json::array({"null"});
  for (json& branch : type) {
    if (branch != "null") branches.push_back(std::move(branch));
  }
  return branches;
}

// Builds the merged schema's JSON. Either side of a pair may be absent (null): what only one has.
class Merger {
 public:
  Merger(const Node& reader, const Node& writer) {
    CollectNamed(reader, &reader_types_);
    CollectNamed(writer, &writer_types_);
  }

  json Type(const Node* reader, const Node* writer, const std::string& path) {
    if (reader == nullptr || writer == nullptr) {
      const Node& only = reader != nullptr ? *reader : *writer;
      if (only.is_named()) return Named(reader, writer, path);
      if (only.kind != Kind::kUnion) return Unnamed(only, reader, writer, path);
      json branches = json::array();
      for (const Node* branch : only.branches) {
        branches.push_back(Type(reader ? branch : nullptr, writer ? branch : nullptr, path));
      }
      return branches;
    }
    if (reader->kind == Kind::kUnion || writer->kind == Kind::kUnion) {
      return Union(*reader, *writer, path);
    }
    if (reader->kind != writer->kind) {
      return Type(Widens(*reader, *writer) ? writer : reader, nullptr, path);
    }
    CheckMeaning(*reader, *writer, path);
    return reader->is_named() ? Named(reader, writer, path)
                              : Unnamed(*reader, reader, writer, path);
  }

  const std::string& conflicts() const { return conflicts_; }

 private:
  static json WithLogicalType(const Node& node, json type) {
    if (node.logical_type.empty()) return type;
    if (!type.is_object()) type = {{"type", std::move(type)}};
    type["logicalType"] = node.logical_type;
    if (node.logical_type == "decimal") {
      type["precision"] = node.precision;
      type["scale"] = node.scale;
    }
    return type;
  }

  static const Node* Child(const Node* node) { return node == nullptr ? nullptr : node->items; }

  // `node` is the reader's where there is one.
  json Unnamed(const Node& node, const Node* reader, const Node* writer, const std::string& path) {
    json type = Name(node.kind);
    if (node.kind == Kind::kArray || node.kind == Kind::kMap) {
      const char* items = node.kind == Kind::kArray ? "items" : "values";
      type = {{"type", Name(node.kind)},
              {items, Type(Child(reader), Child(writer), path + "/" + items)}};
    }
    return WithLogicalType(node, std::move(type));
  }

  // A name means one type in the whole document, so its definition merges all that the two sides
  // know of it, at its first place.
  json Named(const Node* reader, const Node* writer, const std::string& path) {
    const std::string name = reader != nullptr ? reader->name : writer->name;
    const Kind kind = reader != nullptr ? reader->kind : writer->kind;
    if (!defined_.insert(name).second) return name;
    const auto find = [&](const NamedTypes& types) -> const Node* {
      const auto found = types.find(name);
      return found != types.end() && found->second->kind == kind ? found->second : nullptr;
    };
    if (reader == nullptr) reader = find(reader_types_);
    if (writer == nullptr) writer = find(writer_types_);
    const Node& shape = reader != nullptr ? *reader : *writer;
    json type = {{"type", Name(shape.kind)}, {"name", name}};
    if (shape.kind == Kind::kFixed) type["size"] = shape.size;
    if (shape.kind == Kind::kEnum) type["symbols"] = Symbols(reader, writer);
    if (shape.kind == Kind::kEnum && shape.default_symbol) type["default"] = *shape.default_symbol;
    if (shape.kind == Kind::kRecord) type["fields"] = Fields(reader, writer, path);
    std::vector<std::string> aliases = shape.aliases;
    if (reader != nullptr && writer != nullptr && writer->name != name &&
        Contains(writer->aliases, name) && !Contains(aliases, writer->name)) {
      aliases.push_back(writer->name);
    }
    if (!aliases.empty()) type["aliases"] = aliases;
    return WithLogicalType(shape, std::move(type));
  }

  static json Symbols(const Node* reader, const Node* writer) {
    std::vector<std::string> symbols = reader != nullptr ? reader->symbols : writer->symbols;
    if (reader == nullptr || writer == nullptr) return symbols;
    for (const std::string& symbol : writer->symbols) {
      if (!Contains(symbols, symbol)) symbols.push_back(symbol);
    }
    return symbols;
  }

  json Fields(const Node* reader, const Node* writer, const std::string& path) {
    json fields = json::array();
    std::set<const Field*> read;
    const auto place = [&] { return path + "/fields/" + std::to_string(fields.size()); };
    if (reader != nullptr) {
      for (const Field& field : reader->fields) {
        const Field* written = writer ? FindPartner(field, *reader, *writer) : nullptr;
        read.insert(written);
        json type = Type(field.type, written ? written->type : nullptr, place() + "/type");
        const bool absent = writer != nullptr && written == nullptr;
        fields.push_back(FieldOf(field, absent ? Optional(std::move(type)) : std::move(type)));
        if (!field.aliases.empty()) fields.back()["aliases"] = field.aliases;
      }
    }
    if (writer == nullptr) return fields;
    for (const Field& field : writer->fields) {
      if (read.contains(&field)) continue;
      json type = Type(nullptr, field.type, place() + "/type");
      fields.push_back(FieldOf(field, reader ? Optional(std::move(type)) : std::move(type)));
    }
    return fields;
  }

  static json FieldOf(const Field& field, json type) {
    json merged = {{"name", field.name}, {"type", std::move(type)}};
    if (StartsWithNull(merged["type"])) {
      merged["default"] = nullptr;
    } else if (field.default_value) {
      merged["default"] = *field.default_value;
    }
    return merged;
  }

  json Union(const Node& reader, const Node& writer, const std::string& path) {
    const std::vector<const Node*> own = BranchesOf(reader), written = BranchesOf(writer);
    const auto is_null = [](const Node* branch) { return branch->kind == Kind::kNull; };
    std::vector<const Node*> partner(own.size());
    std::vector<const Node*> unmatched;
    for (const Node* branch : written) {
      const auto find = [&](bool (*fits)(const Node&, const Node&)) {
        return std::ranges::find_if(own, [&](const Node* mine) { return fits(*mine, *branch); });
      };
      auto found = find(SameBranch);
      if (found == own.end()) found = find(PromotedBranch);
      if (found == own.end()) {
        unmatched.push_back(branch);
      } else if (partner[found - own.begin()] == nullptr) {
        partner[found - own.begin()] = branch;
      }
    }
    json branches = json::array();
    for (size_t i = 0; i < own.size(); ++i) {
      const std::string place = reader.kind == Kind::kUnion ? path + "/" + std::to_string(i) : path;
      branches.push_back(Type(own[i], partner[i], place));
    }
    // One type is one column, several are a struct; the first never turns into the second.
    const bool several = own.size() - std::ranges::count_if(own, is_null) > 1;
    for (const Node* branch : unmatched) {
      if (is_null(branch)) branches = Optional(std::move(branches));
      if (!is_null(branch) && several) branches.push_back(Type(nullptr, branch, path));
      if (!is_null(branch) && !several) Conflict(reader, *branch, path);
    }
    return branches.size() == 1 && reader.kind != Kind::kUnion ? branches.front() : branches;
  }

  // Resolution ignores logical types; a column does not.
  void CheckMeaning(const Node& reader, const Node& writer, const std::string& path) {
    if (reader.logical_type.empty() || writer.logical_type.empty()) return;
    const bool fits = reader.logical_type == writer.logical_type && reader.scale == writer.scale &&
                      writer.precision <= reader.precision;
    if (fits) return;
    Conflict(reader, writer, path);
  }

  void Conflict(const Node& reader, const Node& writer, const std::string& path) {
    const auto describe = [](const Node& node) {
      const std::string text = Describe(node);
      if (node.logical_type != "decimal") return text;
      return text + " of precision " + std::to_string(node.precision) + " and scale " +
             std::to_string(node.scale);
    };
    conflicts_ += (conflicts_.empty() ? "" : "; ") + std::string("TYPE_MISMATCH at ") + path +
                  ": the table's " + describe(reader) + " cannot hold the writer's " +
                  describe(writer) +
                  " (keep the type, or one that it is promoted to, or add a new field)";
  }

  NamedTypes reader_types_, writer_types_;
  std::set<std::string> defined_;
  std::string conflicts_;
};

std::string Reasons(const std::vector<Incompatibility>& found) {
  std::string reasons;
  for (const Incompatibility& reason : found) {
    reasons += (reasons.empty() ? "" : "; ") + std::string(Name(reason.rule)) + " at " +
               (reason.path.empty() ? "the root" : reason.path) + ": " + reason.message + " (" +
               reason.remedy + ")";
  }
  return reasons;
}

}  // namespace

Result<Schema> MergeSchemas(const Schema& reader, const Schema& writer) {
  Merger merger(reader.root(), writer.root());
  const json merged = merger.Type(&reader.root(), &writer.root(), "");
  if (!merger.conflicts().empty()) return Status::Invalid(merger.conflicts());
  const json unchanged =
      Merger(reader.root(), reader.root()).Type(&reader.root(), &reader.root(), "");
  if (merged == unchanged) {
    const std::string reasons = Reasons(CheckReadable(reader, writer));
    if (!reasons.empty()) return Status::Invalid(reasons);
    return reader;
  }
  ARROW_ASSIGN_OR_RAISE(const Schema grown, Schema::Parse(merged.dump()));
  for (const Schema* read : {&reader, &writer}) {
    const std::string reasons = Reasons(CheckReadable(grown, *read));
    if (!reasons.empty()) return Status::Invalid(reasons);
  }
  return grown;
}

}  // namespace shopstream::avro
