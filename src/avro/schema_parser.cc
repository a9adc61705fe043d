#include "avro/schema_parser.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "avro/default_value.h"
#include "avro/schema.h"
#include "base/json.h"

namespace shopstream::avro {
namespace {

using nlohmann::json;

// A type takes up to three levels of JSON, and a default may nest in addition.
constexpr int kMaxJsonDepth = 4 * Schema::kMaxDepth;
constexpr const char* kNameRule =
    "a name starts with a letter or _ and continues with letters, digits and _";

template <typename... Args>
Status Broken(const std::string& path, Args&&... rule) {
  return Status::Invalid("Avro schema, at ", path.empty() ? "the root" : path, ": ",
                         std::forward<Args>(rule)...);
}

bool IsSimpleName(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

// Simple names separated by dots.
bool IsFullName(std::string_view name) {
  while (true) {
    const size_t dot = name.find('.');
    if (!IsSimpleName(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

std::string NamespaceOf(std::string_view full_name) {
  const size_t dot = full_name.rfind('.');
  return dot == std::string_view::npos ? "" : std::string(full_name.substr(0, dot));
}

std::string Qualify(std::string_view name, const std::string& space) {
  if (space.empty() || name.find('.') != std::string_view::npos) return std::string(name);
  return space + "." + std::string(name);
}

// The parser itself accepts any depth, but code that walks the values recurses.
Status CheckJsonDepth(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > kMaxJsonDepth) {
      return Status::Invalid("Avro schema, at byte ", i, ": brackets nest more than ",
                             kMaxJsonDepth, " deep; split the type into smaller ones");
    }
  }
  return Status::OK();
}

Result<json> ParseDocument(std::string_view text) {
  if (text.size() > Schema::kMaxText) {
    return Status::Invalid("Avro schema of ", text.size(), " bytes: at most ", Schema::kMaxText,
                           " are read; drop its documentation or split it");
  }
  ARROW_RETURN_NOT_OK(CheckJsonDepth(text));
  try {
    return ParseJsonOrThrow(text);
  } catch (const json::exception& error) {
    return Status::Invalid("Avro schema is not JSON: ", error.what());
  }
}

// Builds the tree from the document, depth first, so that a name is known after its definition.
class Builder {
 public:
  Builder() : tree_(std::make_shared<NodeTree>()) {}

  Result<std::shared_ptr<const NodeTree>> Build(const json& document) {
    ARROW_ASSIGN_OR_RAISE(tree_->root, Type(document, "", "", 0));
    for (const PendingDefault& pending : defaults_) ARROW_RETURN_NOT_OK(CheckDefault(pending));
    return tree_;
  }

 private:
  // Checked last: a default may be of a record that is still incomplete.
  struct PendingDefault {
    const Field* field;
    std::string path;
  };

  Status CheckDefault(const PendingDefault& pending) {
    const Field& field = *pending.field;
    if (IsDefaultOf(*field.default_value, *field.type, &default_steps_left_)) return Status::OK();
    if (default_steps_left_ < 0) {
      return Broken(pending.path, "the defaults up to that of field \"", field.name,
                    "\" take too long to check: nest fewer unions in them");
    }
    return Broken(pending.path, "the default of field \"", field.name, "\" is not a ",
                  Describe(*field.type));
  }

  Node* NewNode(Kind kind) {
    Node& node = tree_->nodes.emplace_back();
    node.kind = kind;
    return &node;
  }

  Result<const Node*> Type(const json& type, const std::string& path, const std::string& space,
                           int depth) {
    if (depth > Schema::kMaxDepth) {
      return Broken(path, "types nest more than ", Schema::kMaxDepth, " deep");
    }
    if (type.is_string()) return NamedType(type.get_ref<const std::string&>(), path, space);
    if (type.is_array()) return Union(type, path, space, depth);
    if (!type.is_object()) return Broken(path, "a type is a name, an object or a list of types");

    const auto inner = type.find("type");
    if (inner == type.end()) return Broken(path, "\"type\" is missing");
    if (!inner->is_string()) return Type(*inner, path + "/type", space, depth + 1);
    const auto& name = inner->get_ref<const std::string&>();
    if (name == "record" || name == "error") return Record(type, path, space, depth);
    if (name == "enum") return Enum(type, path, space);
    if (name == "fixed") return Fixed(type, path, space);
    if (name == "array") return Collection(Kind::kArray, "items", type, path, space, depth);
    if (name == "map") return Collection(Kind::kMap, "values", type, path, space, depth);
    const auto primitive = PrimitiveKind(name);
    if (!primitive) return NamedType(name, path + "/type", space);
    Node* node = NewNode(*primitive);
    SetLogicalType(type, node);
    return node;
  }

  Result<const Node*> NamedType(const std::string& name, const std::string& path,
                                const std::string& space) {
    if (const auto primitive = PrimitiveKind(name)) {
      const Node*& shared = primitives_[*primitive];
      if (shared == nullptr) shared = NewNode(*primitive);
      return shared;
    }
    auto found = names_.find(Qualify(name, space));
    // Not in the specification, but as Avro's Java library does it: a type without namespace.
    if (found == names_.end()) found = names_.find(name);
    if (found != names_.end()) return found->second;
    return Broken(path, "unknown type \"", name, "\"; define it before its first use");
  }

  Result<const Node*> Union(const json& type, const std::string& path, const std::string& space,
                            int depth) {
    if (type.empty()) return Broken(path, "a union has at least one branch");
    Node* node = NewNode(Kind::kUnion);
    std::set<std::string> seen;
    for (size_t i = 0; i < type.size(); ++i) {
      const std::string place = path + "/" + std::to_string(i);
      ARROW_ASSIGN_OR_RAISE(const Node* branch, Type(type[i], place, space, depth + 1));
      if (branch->kind == Kind::kUnion)
        return Broken(place, "a union must not contain a union directly");
      const std::string name = branch->is_named() ? branch->name : Name(branch->kind);
      if (!seen.insert(name).second) return Broken(place, "the union has two branches of ", name);
      node->branches.push_back(branch);
    }
    return node;
  }

  Result<const Node*> Collection(Kind kind, const char* key, const json& type,
                                 const std::string& path, const std::string& space, int depth) {
    const auto items = type.find(key);
    if (items == type.end())
      return Broken(path, "\"", key, "\" of the ", Name(kind), " is missing");
    Node* node = NewNode(kind);
    ARROW_ASSIGN_OR_RAISE(node->items, Type(*items, path + "/" + key, space, depth + 1));
    return node;
  }

  Result<const Node*> Record(const json& type, const std::string& path, const std::string& space,
                             int depth) {
    ARROW_ASSIGN_OR_RAISE(Node * node, Define(Kind::kRecord, type, path, space));
    const auto fields = type.find("fields");
    if (fields == type.end() || !fields->is_array()) {
      return Broken(path, "\"fields\" of record ", node->name, " is not a list");
    }
    node->fields.reserve(fields->size());  // Pending defaults point to them.
    std::set<std::string> seen;
    for (size_t i = 0; i < fields->size(); ++i) {
      const std::string place = path + "/fields/" + std::to_string(i);
      ARROW_RETURN_NOT_OK(AddField((*fields)[i], place, depth, node));
      const std::string& name = node->fields.back().name;
      if (!seen.insert(name).second) {
        return Broken(place, "record ", node->name, " has two fields \"", name, "\"");
      }
    }
    return node;
  }

  Status AddField(const json& source, const std::string& path, int depth, Node* record) {
    if (!source.is_object()) return Broken(path, "a field is an object");
    Field field;
    ARROW_ASSIGN_OR_RAISE(field.name, Text(source, "name", path));
    if (!IsSimpleName(field.name)) {
      return Broken(path + "/name", "\"", field.name, "\": ", kNameRule);
    }
    ARROW_ASSIGN_OR_RAISE(field.aliases, Names(source, "aliases", path));
    ARROW_RETURN_NOT_OK(CheckOrder(source, path));
    const auto type = source.find("type");
    if (type == source.end()) {
      return Broken(path, "\"type\" of field \"", field.name, "\" is missing");
    }
    ARROW_ASSIGN_OR_RAISE(field.type,
                          Type(*type, path + "/type", NamespaceOf(record->name), depth + 1));
    const auto value = source.find("default");
    if (value != source.end()) field.default_value = std::make_shared<const json>(*value);
    record->fields.push_back(std::move(field));
    if (value != source.end()) {
      defaults_.push_back({&record->fields.back(), path + "/default"});
    }
    return Status::OK();
  }

  static Status CheckOrder(const json& field, const std::string& path) {
    const auto order = field.find("order");
    if (order == field.end() || *order == "ascending" || *order == "descending" ||
        *order == "ignore") {
      return Status::OK();
    }
    return Broken(path + "/order", "an order is ascending, descending or ignore");
  }

  Result<const Node*> Enum(const json& type, const std::string& path, const std::string& space) {
    ARROW_ASSIGN_OR_RAISE(Node * node, Define(Kind::kEnum, type, path, space));
    if (!type.contains("symbols")) {
      return Broken(path, "\"symbols\" of enum ", node->name, " is missing");
    }
    ARROW_ASSIGN_OR_RAISE(node->symbols, Names(type, "symbols", path));
    std::set<std::string> seen;
    for (const std::string& symbol : node->symbols) {
      if (!IsSimpleName(symbol)) {
        return Broken(path + "/symbols", "\"", symbol, "\": ", kNameRule);
      }
      if (!seen.insert(symbol).second) {
        return Broken(path + "/symbols", "enum ", node->name, " has two symbols ", symbol);
      }
    }
    const auto value = type.find("default");
    if (value == type.end()) return node;
    if (!IsDefaultOf(*value, *node, &default_steps_left_)) {
      return Broken(path + "/default", "the default of enum ", node->name,
                    " is not one of its symbols");
    }
    node->default_symbol = value->get<std::string>();
    return node;
  }

  Result<const Node*> Fixed(const json& type, const std::string& path, const std::string& space) {
    ARROW_ASSIGN_OR_RAISE(Node * node, Define(Kind::kFixed, type, path, space));
    const auto size = type.find("size");
    if (size == type.end() || !size->is_number_unsigned() ||
        size->get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) {
      return Broken(path, "\"size\" of fixed ", node->name,
                    " is not a number of bytes between 0 and 2147483647");
    }
    node->size = size->get<int64_t>();
    SetLogicalType(type, node);
    return node;
  }

  // A node of a named type, which is known by its name from here on.
  Result<Node*> Define(Kind kind, const json& type, const std::string& path,
                       const std::string& enclosing) {
    ARROW_ASSIGN_OR_RAISE(const std::string name, Text(type, "name", path));
    std::string space = enclosing;
    if (type.contains("namespace") && name.find('.') == std::string::npos) {
      ARROW_ASSIGN_OR_RAISE(space, Text(type, "namespace", path));
      if (!space.empty() && !IsFullName(space)) {
        return Broken(path + "/namespace", "\"", space, "\": ", kNameRule, ", with dots between");
      }
    }
    const std::string full_name = Qualify(name, space);
    if (!IsFullName(full_name)) return Broken(path + "/name", "\"", name, "\": ", kNameRule);
    if (PrimitiveKind(full_name)) {
      return Broken(path + "/name", "\"", name, "\" is the name of a primitive type");
    }
    Node* node = NewNode(kind);
    node->name = full_name;
    if (!names_.emplace(full_name, node).second) {
      return Broken(path + "/name", "type ", full_name, " is defined twice");
    }
    ARROW_ASSIGN_OR_RAISE(const auto aliases, Names(type, "aliases", path));
    for (const std::string& alias : aliases) {
      if (!IsFullName(alias)) return Broken(path + "/aliases", "\"", alias, "\": ", kNameRule);
      node->aliases.push_back(Qualify(alias, NamespaceOf(full_name)));
    }
    return node;
  }

  static Result<std::string> Text(const json& object, const char* key, const std::string& path) {
    const auto found = object.find(key);
    if (found == object.end()) return Broken(path, "\"", key, "\" is missing");
    if (!found->is_string()) return Broken(path + "/" + key, "\"", key, "\" is not a string");
    return found->get<std::string>();
  }

  // A list of strings; empty if the key is missing.
  static Result<std::vector<std::string>> Names(const json& object, const char* key,
                                                const std::string& path) {
    std::vector<std::string> names;
    const auto found = object.find(key);
    if (found == object.end()) return names;
    const auto is_text = [](const json& item) { return item.is_string(); };
    if (!found->is_array() || !std::ranges::all_of(*found, is_text)) {
      return Broken(path + "/" + key, "\"", key, "\" is not a list of strings");
    }
    for (const json& item : *found) names.push_back(item.get<std::string>());
    return names;
  }

  // The specification: an unknown or unsuitable logical type is ignored.
  static void SetLogicalType(const json& type, Node* node) {
    static const std::map<std::string, std::set<Kind>, std::less<>> kUnderlying = {
        {"decimal", {Kind::kBytes, Kind::kFixed}},
        {"big-decimal", {Kind::kBytes}},
        {"uuid", {Kind::kString, Kind::kFixed}},
        {"date", {Kind::kInt}},
        {"time-millis", {Kind::kInt}},
        {"time-micros", {Kind::kLong}},
        {"timestamp-millis", {Kind::kLong}},
        {"timestamp-micros", {Kind::kLong}},
        {"timestamp-nanos", {Kind::kLong}},
        {"local-timestamp-millis", {Kind::kLong}},
        {"local-timestamp-micros", {Kind::kLong}},
        {"local-timestamp-nanos", {Kind::kLong}},
        {"duration", {Kind::kFixed}}};
    const auto logical = type.find("logicalType");
    if (logical == type.end() || !logical->is_string()) return;
    const auto& name = logical->get_ref<const std::string&>();
    const auto known = kUnderlying.find(name);
    if (known == kUnderlying.end() || !known->second.contains(node->kind)) return;
    if (name == "duration" && node->size != 12) return;
    if (name == "uuid" && node->kind == Kind::kFixed && node->size != 16) return;
    if (name == "decimal" && !SetDecimal(type, node)) return;
    node->logical_type = name;
  }

  static bool SetDecimal(const json& type, Node* node) {
    constexpr int64_t kMaxPrecision = 1'000'000;
    const auto read = [&](const char* key, int64_t otherwise) {
      const auto found = type.find(key);
      if (found == type.end()) return otherwise;
      const bool fits = found->is_number_unsigned() && found->get<uint64_t>() <= kMaxPrecision;
      return fits ? found->get<int64_t>() : int64_t{-1};
    };
    const int64_t precision = read("precision", 0);
    const int64_t scale = read("scale", 0);
    if (precision <= 0 || scale < 0 || scale > precision) return false;
    node->precision = static_cast<int32_t>(precision);
    node->scale = static_cast<int32_t>(scale);
    return true;
  }

  std::shared_ptr<NodeTree> tree_;
  std::map<std::string, const Node*, std::less<>> names_;
  std::map<Kind, const Node*> primitives_;  // Those without annotations; one node each.
  std::vector<PendingDefault> defaults_;
  int64_t default_steps_left_ = kMaxDefaultSteps;  // Shared by all defaults.
};

}  // namespace

Result<std::shared_ptr<const NodeTree>> ParseSchema(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const json document, ParseDocument(text));
  return Builder().Build(document);
}

}  // namespace shopstream::avro
