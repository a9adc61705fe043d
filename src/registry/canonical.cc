#include "registry/canonical.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "avro/default_value.h"
#include "avro/node.h"
#include "avro/schema.h"
#include "base/format.h"
#include "base/json.h"
#include "registry/schema_json.h"
#include "registry/schema_names.h"

namespace shopstream::registry {
namespace {

using Json = nlohmann::ordered_json;
using Names = std::initializer_list<std::string_view>;

// What Avro gives a meaning; Java drops it where it has none.
constexpr std::array<std::string_view, 10> kTypeAttributes = {
    "doc", "fields", "items", "name", "namespace", "size", "symbols", "values", "type", "aliases"};
constexpr std::array<std::string_view, 6> kFieldAttributes = {"default", "doc",  "name",
                                                              "order",   "type", "aliases"};

bool IsTypeWord(std::string_view name) {
  constexpr std::array<std::string_view, 6> kComplex = {"record", "enum",  "array",
                                                        "map",    "union", "fixed"};
  return avro::PrimitiveKind(name).has_value() || std::ranges::count(kComplex, name) > 0;
}

template <typename Known>
bool IsIn(const Known& known, std::string_view name) {
  return std::ranges::find(known, name) != std::ranges::end(known);
}

std::string KindOf(const Json& type) { return TextOf(type, "type").value_or(""); }

// Avro's Java library turns the text of a float's or double's default into a number. (JSON has no
// NaN and no infinity: these it writes as text again.)
Json DefaultOf(const Json& field) {
  const Json& value = field["default"];
  const auto type = field.find("type");
  if (!value.is_string() || type == field.end()) return value;
  const std::string kind = type->is_string() ? type->get<std::string>() : KindOf(*type);
  if (kind != "float" && kind != "double") return value;
  const auto number = avro::NumberOfDefault(value.get_ref<const std::string&>());
  if (!number.has_value()) return value;
  const std::string text = JavaText(*number);
  return std::isfinite(*number) ? NumberAsWritten(text) : Json(text);
}

std::string OrderOf(const Json& field) {
  return ToLower(TextOf(field, "order").value_or("ascending"));
}

// How deep the types nest that are being written. A definition is written where its name is used
// first, so the result may nest far deeper than the text does.
struct Depth {
  int levels = 0;
  bool too_deep = false;
};

class Level {
 public:
  explicit Level(Depth* depth) : depth_(depth) {
    if (++depth_->levels > avro::Schema::kMaxDepth) depth_->too_deep = true;
  }
  ~Level() { --depth_->levels; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  Depth* depth_;
};

void AddText(const Json& from, const char* name, Json* to) {
  if (const auto text = TextOf(from, name)) (*to)[name] = *text;
}

// Java's text of a schema: names as short as they can be, attributes in the order given.
struct Canonical {
  static std::string Mention(const std::string& full, const std::string& enclosing) {
    const std::string name(avro::ShortName(full));
    return avro::NamespaceOf(full) == enclosing && !IsTypeWord(name) ? name : full;
  }

  // A record, error, enum or fixed, in the namespace `around`.
  static Json Define(const Json& type, const std::string& full, const std::string& around,
                     std::optional<Json> fields) {
    const std::string space = avro::NamespaceOf(full);
    const std::string kind = type["type"];
    Json out = ObjectFor(type.size() + 1);
    out["type"] = kind;
    out["name"] = std::string(avro::ShortName(full));
    if (space != around) out["namespace"] = space;
    AddText(type, "doc", &out);
    if (fields) out["fields"] = *std::move(fields);
    if (kind == "enum") {
      if (type.contains("symbols")) out["symbols"] = type["symbols"];
      AddText(type, "default", &out);
    }
    if (kind == "fixed" && type.contains("size")) out["size"] = type["size"];
    AddRest(type, kTypeAttributes, &out, kind == "enum" ? "default" : "");
    Json aliases = Json::array();
    if (type.contains("aliases") && type["aliases"].is_array()) {
      for (const Json& alias : type["aliases"]) {
        if (alias.is_string())
          aliases.push_back(Mention(avro::Qualify(alias.get<std::string>(), space), space));
      }
    }
    if (!aliases.empty()) out["aliases"] = std::move(aliases);
    return out;
  }

  static Json Field(const Json& field, std::optional<Json> type) {
    Json out = ObjectFor(field.size());
    AddText(field, "name", &out);
    if (type) out["type"] = *std::move(type);
    AddText(field, "doc", &out);
    if (field.contains("default")) out["default"] = DefaultOf(field);
    if (OrderOf(field) != "ascending") out["order"] = OrderOf(field);
    if (field.contains("aliases") && !field["aliases"].empty()) out["aliases"] = field["aliases"];
    AddRest(field, kFieldAttributes, &out);
    return out;
  }

  static void AddAttributes(const Json& type, Json* to) { AddRest(type, kTypeAttributes, to); }

 private:
  template <typename Known>
  static void AddRest(const Json& from, const Known& known, Json* to, std::string_view also = "") {
    for (const auto& [name, value] : from.items()) {
      if (!IsIn(known, name) && name != also) (*to)[name] = value;
    }
  }
};

// The text that is the same for all schemas with the same meaning: full names, sorted attributes.
struct Normalized {
  static std::string Mention(const std::string& full, const std::string&) { return full; }

  static Json Define(const Json& type, const std::string& full, const std::string& around,
                     std::optional<Json> fields) {
    const std::string kind = type["type"];
    Json out = ObjectFor(type.size() + 1);
    out["name"] = full;
    out["type"] = kind == "error" ? "record" : kind;
    // Without it, the name would be read as one of the namespace around. (Confluent's registry
    // omits it, and then cannot read what it stored.)
    if (avro::NamespaceOf(full).empty() && !around.empty()) out["namespace"] = "";
    if (kind == "enum" && type.contains("symbols")) out["symbols"] = type["symbols"];
    if (kind == "fixed") {
      if (type.contains("size")) out["size"] = type["size"];
      AddLogicalType(type, &out);
    }
    if (fields) out["fields"] = *std::move(fields);
    const auto doc = TextOf(type, "doc");
    if (doc && !doc->empty()) out["doc"] = *doc;
    const std::string space = avro::NamespaceOf(full);
    AddAliases(type, &space, &out);
    if (kind == "enum") AddText(type, "default", &out);
    AddSorted(type, kTypeAttributes, &out, kind == "enum" ? "default" : "");
    return out;
  }

  static Json Field(const Json& field, std::optional<Json> type) {
    Json out = ObjectFor(field.size() + 1);
    out["name"] = field.value("name", "");
    if (type) out["type"] = *std::move(type);
    out["order"] = OrderOf(field);
    AddText(field, "doc", &out);
    AddAliases(field, nullptr, &out);
    if (field.contains("default")) out["default"] = SortedByName(DefaultOf(field));
    AddSorted(field, kFieldAttributes, &out);
    return out;
  }

  static void AddAttributes(const Json& type, Json* to) {
    AddLogicalType(type, to);
    AddSorted(type, kTypeAttributes, to);
  }

 private:
  // The aliases of a type are names within `space`; those of a field have none.
  static void AddAliases(const Json& from, const std::string* space, Json* to) {
    if (!from.contains("aliases") || !from["aliases"].is_array()) return;
    std::set<std::string> sorted;
    for (const Json& alias : from["aliases"]) {
      if (!alias.is_string()) continue;
      const std::string name = alias;
      sorted.insert(space == nullptr ? name : avro::Qualify(name, *space));
    }
    if (!sorted.empty()) (*to)["aliases"] = sorted;
  }

  static void AddLogicalType(const Json& type, Json* to) {
    for (const char* name : {"logicalType", "precision", "scale"}) {
      const bool is_default = std::string_view(name) == "scale" && type.value(name, Json(0)) == 0;
      if (type.contains("logicalType") && type.contains(name) && !is_default) {
        (*to)[name] = type[name];
      }
    }
  }

  template <typename Known>
  static void AddSorted(const Json& from, const Known& known, Json* to,
                        std::string_view also = "") {
    const bool decimal = from.value("logicalType", Json()) == "decimal";
    std::map<std::string, Json> sorted;
    for (const auto& [name, value] : from.items()) {
      if (IsIn(known, name) || name == also || to->contains(name)) continue;
      if (decimal && name == "scale") continue;  // 0, which is the default.
      sorted[name] = SortedByName(value);
    }
    for (auto& [name, value] : sorted) (*to)[name] = std::move(value);
  }
};

// Writes a schema in a form, each definition where its name is used first.
template <typename Form>
class Writer {
 public:
  explicit Writer(const SchemaNames& names) : names_(names) {}

  Json Type(const Json& type, const std::string& enclosing) {
    const Level level(&depth_);
    return depth_.too_deep ? Json() : TypeWithin(type, enclosing);
  }
  bool too_deep() const { return depth_.too_deep; }

 private:
  Json TypeWithin(const Json& type, const std::string& enclosing) {
    if (type.is_string()) return Mention(type, enclosing);
    if (type.is_array()) {
      Json out = Json::array();
      for (const Json& branch : type) out.push_back(Type(branch, enclosing));
      return out;
    }
    if (!type.is_object() || !type.contains("type")) return type;
    if (!type["type"].is_string()) return Type(type["type"], enclosing);  // Wrapped.
    if (DefinesAName(type)) return Define(type, enclosing, enclosing);
    const std::string kind = type["type"];
    Json out = ObjectFor(type.size() + 1);
    out["type"] = kind;
    if (kind == "array" && type.contains("items")) {
      out["items"] = Type(type["items"], enclosing);
    } else if (kind == "map" && type.contains("values")) {
      out["values"] = Type(type["values"], enclosing);
    } else if (!avro::PrimitiveKind(kind)) {
      return Mention(type["type"], enclosing);
    }
    Form::AddAttributes(type, &out);
    if (out.size() == 1) return kind;
    return out;
  }

  Json Mention(const std::string& name, const std::string& enclosing) {
    if (avro::PrimitiveKind(name)) return name;
    const std::string full = names_.Resolve(name, enclosing);
    const auto* definition = names_.Find(full);
    if (definition == nullptr || written_.contains(full)) return Form::Mention(full, enclosing);
    return Define(*definition->type, definition->enclosing, enclosing);
  }

  // `enclosing`: the namespace around the definition in the schema; `around`: in what is written.
  Json Define(const Json& type, const std::string& enclosing, const std::string& around) {
    const std::string full = FullNameOf(type, enclosing);
    if (!written_.insert(full).second) return Form::Mention(full, around);
    std::optional<Json> fields;
    if (type.contains("fields") && type["fields"].is_array()) {
      fields = Json::array();
      for (const Json& field : type["fields"]) {
        fields->push_back(Field(field, avro::NamespaceOf(full)));
      }
    }
    return Form::Define(type, full, around, std::move(fields));
  }

  Json Field(const Json& field, const std::string& space) {
    if (!field.is_object()) return field;
    std::optional<Json> type;
    if (field.contains("type")) type = Type(field["type"], space);
    return Form::Field(field, std::move(type));
  }

  const SchemaNames& names_;
  Depth depth_;
  std::set<std::string> written_;
};

using Dump = std::string (*)(const Json& value);

template <typename Form>
Result<std::string> Rewrite(std::string_view schema, const std::vector<std::string>& other_types,
                            Dump dump) {
  ARROW_ASSIGN_OR_RAISE(const Json parsed, ParseSchemaJson(schema));
  const SchemaNames names(parsed, other_types);
  try {
    Writer<Form> writer(names);
    const Json written = writer.Type(parsed, "");
    if (!writer.too_deep()) return dump(written);
    return Status::Invalid("types nest more than ", avro::Schema::kMaxDepth, " deep");
  } catch (const Json::exception& e) {
    return Status::Invalid("not a schema: ", e.what());
  }
}

}  // namespace

Result<std::string> CanonicalText(std::string_view schema,
                                  const std::vector<std::string>& other_types) {
  return Rewrite<Canonical>(schema, other_types, DumpSchemaJson);
}

Result<std::string> NormalizedText(std::string_view schema,
                                   const std::vector<std::string>& other_types) {
  return Rewrite<Normalized>(schema, other_types, DumpSchemaJson);
}

Result<std::string> IdentityText(std::string_view schema,
                                 const std::vector<std::string>& other_types) {
  return Rewrite<Normalized>(schema, other_types, DumpByValue);
}

}  // namespace shopstream::registry
