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
#include "avro/redefinition.h"
#include "avro/schema_text.h"
#include "base/format.h"
#include "base/json.h"
#include "base/unicode_names.h"

namespace shopstream::avro {
namespace {

using nlohmann::json;

// A type takes up to three levels of JSON, and a default may nest in addition.
constexpr int kMaxJsonDepth = 4 * Schema::kMaxDepth;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr int64_t kMaxFixedSize = std::numeric_limits<int32_t>::max() - 8;  // Java's arrays.
constexpr const char* kNameRule =
    "a name starts with a letter or _ and continues with letters, digits and _";

template <typename... Args>
Status Broken(const std::string& path, Args&&... rule) {
  return Status::Invalid("Avro schema, at ", path.empty() ? "the root" : path, ": ",
                         std::forward<Args>(rule)...);
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

Result<json> ParseDocument(std::string_view text) {
  if (text.size() > Schema::kMaxText) {
    return Status::Invalid("Avro schema of ", text.size(), " bytes: at most ", Schema::kMaxText,
                           " are read; drop its documentation or split it");
  }
  if (text.starts_with(kByteOrderMark)) {
    return Status::Invalid("Avro schema, at byte 0: a byte order mark; remove it");
  }
  Result<std::string> plain = WithoutComments(text);
  ARROW_RETURN_NOT_OK(plain.status());
  ARROW_RETURN_NOT_OK(CheckJsonDepth(*plain, kMaxJsonDepth));
  try {
    return ParseJsonOrThrow(*plain);
  } catch (const json::exception& error) {
    return Status::Invalid("Avro schema is not JSON: ", error.what());
  }
}

// Builds the tree from the document, depth first. A name may be used before its definition, so
// names, unions and defaults are checked when the whole document has been read.
class Builder {
 public:
  explicit Builder(const ParseOptions& options)
      : options_(options), tree_(std::make_shared<NodeTree>()) {}

  Result<std::shared_ptr<const NodeTree>> Build(const json& document) {
    ARROW_ASSIGN_OR_RAISE(tree_->root, Type(document, "", "", 0));
    ARROW_RETURN_NOT_OK(ReplaceMentions());
    for (const PendingUnion& pending : unions_) ARROW_RETURN_NOT_OK(CheckUnion(pending));
    for (const Redefinition& again : redefinitions_) {
      if (IsSameDefinition(again.first, again.second)) continue;
      return Broken(again.path, "type ", again.second.node->name, " is defined twice");
    }
    ARROW_RETURN_NOT_OK(CheckDefaults());
    return tree_;
  }

 private:
  // The use of a name that is not defined yet; `node` takes its place until then.
  struct Mention {
    const Node* node;
    std::string name, path, space;
  };
  struct PendingUnion {
    const Node* node;
    std::string path;
  };
  struct Redefinition {
    Definition first, second;
    std::string path;
  };
  struct PendingDefault {
    Field* field;
    std::string path;
  };

  Status ReplaceMentions() {
    if (mentions_.empty()) return Status::OK();
    std::map<const Node*, const Node*> meant;
    for (const Mention& mention : mentions_) {
      const Node* found = FindType(mention.name, mention.space);
      if (found == nullptr) {
        return Broken(mention.path, "unknown type \"", mention.name,
                      "\"; define it in the schema, or refer to the subject that does");
      }
      meant[mention.node] = found;
    }
    const auto replace = [&](const Node** node) {
      const auto found = meant.find(*node);
      if (found != meant.end()) *node = found->second;
    };
    replace(&tree_->root);
    for (Node& node : tree_->nodes) {
      replace(&node.items);
      for (Field& field : node.fields) replace(&field.type);
      for (const Node*& branch : node.branches) replace(&branch);
    }
    return Status::OK();
  }

  static Status CheckUnion(const PendingUnion& pending) {
    std::set<std::string> seen;
    int number = 0;
    for (const Node* branch : pending.node->branches) {
      const std::string place = pending.path + "/" + std::to_string(number++);
      const std::string name = branch->is_named() ? branch->name : Name(branch->kind);
      if (!seen.insert(name).second) return Broken(place, "the union has two branches of ", name);
    }
    return Status::OK();
  }

  Status CheckDefaults() {
    int64_t steps_left = kMaxDefaultSteps;  // Shared by all defaults.
    for (const PendingDefault& pending : defaults_) {
      const Field& field = *pending.field;
      // Java rejects text that is not a number, whether or not it validates defaults.
      const bool number_expected = field.default_value->is_string() && IsFloat(*field.type) &&
                                   !options_.accept_wrapped_types;
      if (!options_.validate_defaults && !number_expected) continue;
      if (IsDefaultOf(field, &steps_left)) continue;
      if (steps_left < 0) {
        return Broken(pending.path, "the defaults up to that of field \"", field.name,
                      "\" take too long to check: nest fewer unions in them");
      }
      return Broken(pending.path, "the default of field \"", field.name, "\" is not a ",
                    Describe(*field.type));
    }
    // A record's default may leave out fields whose own defaults are valid.
    steps_left = kMaxDefaultSteps;
    for (bool changed = true; std::exchange(changed, false);) {
      for (const PendingDefault& pending : defaults_) {
        Field& field = *pending.field;
        if (field.default_valid || !IsReadableDefault(field, &steps_left)) continue;
        field.default_valid = changed = true;
      }
    }
    return Status::OK();
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
    if (!inner->is_string()) {
      if (options_.accept_wrapped_types) return Type(*inner, path + "/type", space, depth + 1);
      return Broken(path + "/type", "\"type\" is not a string: write the inner type in its place");
    }
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
    if (const Node* found = FindType(name, space)) return found;
    const Node* stand_in = NewNode(Kind::kNull);
    mentions_.push_back({stand_in, name, path, space});
    return stand_in;
  }

  // Null if it is not defined, at least not so far.
  const Node* FindType(const std::string& name, const std::string& space) const {
    auto found = names_.find(Qualify(name, space));
    // Not in the specification, but as Avro's Java library does it: a type without namespace.
    if (found == names_.end()) found = names_.find(name);
    return found == names_.end() ? nullptr : found->second.node;
  }

  Result<const Node*> Union(const json& type, const std::string& path, const std::string& space,
                            int depth) {
    Node* node = NewNode(Kind::kUnion);
    for (size_t i = 0; i < type.size(); ++i) {
      const std::string place = path + "/" + std::to_string(i);
      ARROW_ASSIGN_OR_RAISE(const Node* branch, Type(type[i], place, space, depth + 1));
      if (branch->kind == Kind::kUnion)
        return Broken(place, "a union must not contain a union directly");
      node->branches.push_back(branch);
    }
    unions_.push_back({node, path});
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
    return names_.at(node->name).node;
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
    const auto stray = source.find("logicalType");
    if (stray != source.end() && stray->is_string() && field.type->logical_type.empty()) {
      field.stray_logical_type = stray->get<std::string>();
    }
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
    if (order == field.end()) return Status::OK();
    if (order->is_string()) {
      const std::string name = ToLower(order->get<std::string>());
      if (name == "ascending" || name == "descending" || name == "ignore") return Status::OK();
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
    if (value == type.end() || !value->is_string()) return names_.at(node->name).node;
    node->default_symbol = value->get<std::string>();
    if (!seen.contains(*node->default_symbol)) {
      return Broken(path + "/default", "the default of enum ", node->name,
                    " is not one of its symbols");
    }
    return names_.at(node->name).node;
  }

  Result<const Node*> Fixed(const json& type, const std::string& path, const std::string& space) {
    ARROW_ASSIGN_OR_RAISE(Node * node, Define(Kind::kFixed, type, path, space));
    const auto size = type.find("size");
    if (size == type.end() || !size->is_number_unsigned() ||
        size->get<uint64_t>() > static_cast<uint64_t>(kMaxFixedSize)) {
      return Broken(path, "\"size\" of fixed ", node->name,
                    " is not a number of bytes between 0 and ", kMaxFixedSize);
    }
    node->size = size->get<int64_t>();
    SetLogicalType(type, node);
    return names_.at(node->name).node;
  }

  // A node of a named type, which is known by its name from here on.
  Result<Node*> Define(Kind kind, const json& type, const std::string& path,
                       const std::string& enclosing) {
    ARROW_ASSIGN_OR_RAISE(std::string name, Text(type, "name", path));
    std::string space = enclosing;
    const auto own_space = type.find("namespace");
    if (own_space != type.end() && own_space->is_string() && name.find('.') == std::string::npos) {
      space = own_space->get<std::string>();
      if (!space.empty() && !IsFullName(space)) {
        return Broken(path + "/namespace", "\"", space, "\": ", kNameRule, ", with dots between");
      }
    }
    if (name.rfind('.') == 0)
      name.erase(0, 1);  // As in Java: the name has no namespace.
    else
      name = Qualify(name, space);
    if (!IsFullName(name)) return Broken(path + "/name", "\"", name, "\": ", kNameRule);
    if (PrimitiveKind(name)) {
      return Broken(path + "/name", "\"", name, "\" is the name of a primitive type");
    }
    Node* node = NewNode(kind);
    node->name = name;
    const auto [known, is_first] = names_.emplace(name, Definition{node, &type});
    if (!is_first) redefinitions_.push_back({known->second, {node, &type}, path + "/name"});
    ARROW_ASSIGN_OR_RAISE(const auto aliases, Names(type, "aliases", path));
    for (const std::string& alias : aliases) {
      if (!IsSimpleName(ShortName(alias))) {
        return Broken(path + "/aliases", "\"", alias, "\": ", kNameRule);
      }
      node->aliases.push_back(alias.rfind('.') == 0 ? alias.substr(1)
                                                    : Qualify(alias, NamespaceOf(name)));
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

  const ParseOptions options_;
  std::shared_ptr<NodeTree> tree_;
  std::map<std::string, Definition, std::less<>> names_;
  std::map<Kind, const Node*> primitives_;  // Those without annotations; one node each.
  std::vector<Mention> mentions_;
  std::vector<PendingUnion> unions_;
  std::vector<Redefinition> redefinitions_;
  std::vector<PendingDefault> defaults_;
};

}  // namespace

Result<std::shared_ptr<const NodeTree>> ParseSchema(std::string_view text,
                                                    const ParseOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const json document, ParseDocument(text));
  return Builder(options).Build(document);
}

}  // namespace shopstream::avro
