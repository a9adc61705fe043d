#include "registry/canonical.h"

#include <algorithm>
#include <array>
#include <functional>
#include <initializer_list>
#include <map>
#include <set>

#include "base/json.h"

namespace shopstream::registry {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 8> kPrimitives = {"null",  "boolean", "int",   "long",
                                                         "float", "double",  "bytes", "string"};

bool IsPrimitive(std::string_view name) {
  return std::find(kPrimitives.begin(), kPrimitives.end(), name) != kPrimitives.end();
}

struct FullName {
  std::string space, name;
};

FullName Split(const std::string& name, const std::string& enclosing) {
  const auto dot = name.rfind('.');
  if (dot == std::string::npos) return {enclosing, name};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

// The attributes of `from` that have no fixed place, in the order given.
void CopyRest(const Json& from, std::initializer_list<std::string_view> placed, Json* to) {
  for (const auto& [key, value] : from.items()) {
    if (std::find(placed.begin(), placed.end(), key) == placed.end()) (*to)[key] = value;
  }
}

void CopyIfThere(const Json& from, const char* key, Json* to) {
  if (from.contains(key)) (*to)[key] = from[key];
}

Json Canonical(const Json& type, const std::string& enclosing);

Json CanonicalField(const Json& field, const std::string& space) {
  Json out = Json::object();
  CopyIfThere(field, "name", &out);
  if (field.contains("type")) out["type"] = Canonical(field["type"], space);
  CopyIfThere(field, "doc", &out);
  CopyIfThere(field, "default", &out);
  if (field.value("order", Json("ascending")) != "ascending") out["order"] = field["order"];
  CopyIfThere(field, "aliases", &out);
  CopyRest(field, {"name", "type", "doc", "default", "order", "aliases"}, &out);
  return out;
}

// Record, error, enum, fixed.
Json CanonicalNamed(const Json& type, const std::string& enclosing) {
  const std::string kind = type["type"];
  FullName name = Split(type.value("name", ""), enclosing);
  const bool dotted = type.value("name", "").find('.') != std::string::npos;
  if (!dotted && type.contains("namespace") && type["namespace"].is_string()) {
    name.space = type["namespace"];
  }
  Json out = {{"type", kind}, {"name", name.name}};
  if (name.space != enclosing) out["namespace"] = name.space;
  CopyIfThere(type, "doc", &out);
  if (type.contains("fields") && type["fields"].is_array()) {
    out["fields"] = Json::array();
    for (const Json& field : type["fields"]) {
      out["fields"].push_back(CanonicalField(field, name.space));
    }
  }
  CopyIfThere(type, "symbols", &out);
  CopyIfThere(type, "default", &out);
  CopyIfThere(type, "size", &out);
  CopyRest(type,
           {"type", "name", "namespace", "doc", "fields", "symbols", "default", "size", "aliases"},
           &out);
  CopyIfThere(type, "aliases", &out);
  return out;
}

Json CanonicalObject(const Json& type, const std::string& enclosing) {
  if (!type.contains("type") || !type["type"].is_string()) {
    // {"type": {...}} and {"type": [...]} mean the same as the inner schema.
    return type.contains("type") ? Canonical(type["type"], enclosing) : type;
  }
  const std::string kind = type["type"];
  if (kind == "record" || kind == "error" || kind == "enum" || kind == "fixed") {
    return CanonicalNamed(type, enclosing);
  }
  Json out = {{"type", IsPrimitive(kind) ? Json(kind) : Canonical(type["type"], enclosing)}};
  if (type.contains("items")) out["items"] = Canonical(type["items"], enclosing);
  if (type.contains("values")) out["values"] = Canonical(type["values"], enclosing);
  CopyRest(type, {"type", "items", "values"}, &out);
  return out.size() == 1 && kind != "array" && kind != "map" ? out["type"] : out;
}

Json Canonical(const Json& type, const std::string& enclosing) {
  if (type.is_string()) {
    const std::string text = type;
    if (IsPrimitive(text)) return type;
    const FullName name = Split(text, enclosing);
    return name.space == enclosing ? name.name : text;
  }
  if (type.is_array()) {
    Json out = Json::array();
    for (const Json& branch : type) out.push_back(Canonical(branch, enclosing));
    return out;
  }
  return type.is_object() ? CanonicalObject(type, enclosing) : type;
}

std::string Join(const FullName& name) {
  return name.space.empty() ? name.name : name.space + "." + name.name;
}

FullName NameOf(const Json& type, const std::string& enclosing) {
  const std::string given = type.value("name", "");
  const bool dotted = given.find('.') != std::string::npos;
  const bool has_space = type.contains("namespace") && type["namespace"].is_string();
  return Split(given, !dotted && has_space ? type["namespace"].get<std::string>() : enclosing);
}

// Attributes without a fixed place, by name.
void AddSorted(const Json& from, std::initializer_list<std::string_view> placed, Json* to) {
  std::map<std::string, Json> sorted;
  for (const auto& [key, value] : from.items()) {
    if (std::find(placed.begin(), placed.end(), key) == placed.end()) sorted[key] = value;
  }
  for (const auto& [key, value] : sorted) (*to)[key] = value;
}

void AddAliases(const Json& from, const std::string* space, Json* to) {
  if (!from.contains("aliases") || !from["aliases"].is_array() || from["aliases"].empty()) return;
  std::set<std::string> sorted;
  for (const Json& alias : from["aliases"]) {
    if (!alias.is_string()) continue;
    sorted.insert(space == nullptr ? alias.get<std::string>() : Join(Split(alias, *space)));
  }
  (*to)["aliases"] = sorted;
}

Json Normalized(const Json& type, const std::string& enclosing);

Json NormalizedField(const Json& field, const std::string& space) {
  Json out = {{"name", field.value("name", "")}};
  if (field.contains("type")) out["type"] = Normalized(field["type"], space);
  out["order"] = field.value("order", Json("ascending"));
  CopyIfThere(field, "doc", &out);
  AddAliases(field, nullptr, &out);
  CopyIfThere(field, "default", &out);
  AddSorted(field, {"name", "type", "order", "doc", "aliases", "default"}, &out);
  return out;
}

Json NormalizedNamed(const Json& type, const std::string& enclosing) {
  const FullName name = NameOf(type, enclosing);
  Json out = {{"name", Join(name)}, {"type", type["type"]}};
  CopyIfThere(type, "symbols", &out);
  CopyIfThere(type, "size", &out);
  if (type.contains("fields") && type["fields"].is_array()) {
    out["fields"] = Json::array();
    for (const Json& field : type["fields"]) {
      out["fields"].push_back(field.is_object() ? NormalizedField(field, name.space) : field);
    }
  }
  if (type.value("doc", Json()) != "") CopyIfThere(type, "doc", &out);
  AddAliases(type, &name.space, &out);
  if (type["type"] == "enum") CopyIfThere(type, "default", &out);
  AddSorted(type,
            {"name", "namespace", "type", "symbols", "size", "fields", "doc", "aliases", "default"},
            &out);
  return out;
}

Json Normalized(const Json& type, const std::string& enclosing) {
  if (type.is_string()) {
    const std::string text = type;
    return IsPrimitive(text) ? type : Json(Join(Split(text, enclosing)));
  }
  if (type.is_array()) {
    Json out = Json::array();
    for (const Json& branch : type) out.push_back(Normalized(branch, enclosing));
    return out;
  }
  if (!type.is_object() || !type.contains("type")) return type;
  if (!type["type"].is_string()) return Normalized(type["type"], enclosing);
  const std::string kind = type["type"];
  if (kind == "record" || kind == "error" || kind == "enum" || kind == "fixed") {
    return NormalizedNamed(type, enclosing);
  }
  if (!IsPrimitive(kind) && kind != "array" && kind != "map") {
    return Join(Split(kind, enclosing));
  }
  Json out = {{"type", kind}};
  if (type.contains("items")) out["items"] = Normalized(type["items"], enclosing);
  if (type.contains("values")) out["values"] = Normalized(type["values"], enclosing);
  CopyIfThere(type, "logicalType", &out);
  AddSorted(type, {"type", "items", "values", "logicalType"}, &out);
  return out.size() == 1 && IsPrimitive(kind) ? out["type"] : out;
}

Result<std::string> Rewrite(std::string_view schema,
                            const std::function<Json(const Json&)>& rewrite) {
  try {
    const auto parsed = ParseBoundedJsonOrThrow(schema, kMaxSchemaDepth);
    if (!parsed) return Status::Invalid("not a schema: nested deeper than ", kMaxSchemaDepth);
    return rewrite(*parsed).dump();
  } catch (const Json::exception& e) {
    return Status::Invalid("not a schema: ", e.what());
  }
}

}  // namespace

Result<std::string> CanonicalText(std::string_view schema) {
  return Rewrite(schema, [](const Json& parsed) { return Canonical(parsed, ""); });
}

Result<std::string> NormalizedText(std::string_view schema) {
  return Rewrite(schema, [](const Json& parsed) { return Normalized(parsed, ""); });
}

}  // namespace shopstream::registry
