#include "registry/canonical.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <nlohmann/json.hpp>

namespace shopstream::registry {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 8> kPrimitives = {"null",  "boolean", "int",   "long",
                                                         "float", "double",  "bytes", "string"};

// Attributes without meaning to Avro may hold any JSON; printing it takes stack.
constexpr int kMaxDepth = 256;

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
    // {"type": {...}} and {"type": [...]} say no more than what they hold.
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

}  // namespace

Result<std::string> CanonicalText(std::string_view schema) {
  bool too_deep = false;
  const auto bound_depth = [&](int depth, Json::parse_event_t, const Json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  try {
    const Json parsed = Json::parse(schema, bound_depth);
    if (too_deep) return Status::Invalid("not a schema: nested deeper than ", kMaxDepth);
    return Canonical(parsed, "").dump();
  } catch (const Json::exception& e) {
    return Status::Invalid("not a schema: ", e.what());
  }
}

}  // namespace shopstream::registry
