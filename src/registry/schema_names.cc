#include "registry/schema_names.h"

#include "avro/node.h"

namespace shopstream::registry {

using Json = nlohmann::ordered_json;

bool DefinesAName(const Json& type) {
  if (!type.is_object() || !type.contains("type") || !type.contains("name")) return false;
  const Json& kind = type["type"];
  return type["name"].is_string() &&
         (kind == "record" || kind == "error" || kind == "enum" || kind == "fixed");
}

std::string FullNameOf(const Json& definition, const std::string& enclosing) {
  const std::string name = definition["name"];
  if (name.rfind('.') == 0) return name.substr(1);
  return avro::Qualify(name, TextOf(definition, "namespace").value_or(enclosing));
}

std::optional<std::string> TextOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

SchemaNames::SchemaNames(const Json& schema, const std::vector<std::string>& other_types)
    : others_(other_types.begin(), other_types.end()) {
  Collect(schema, "");
}

void SchemaNames::Collect(const Json& type, const std::string& enclosing) {
  if (type.is_array()) {
    for (const Json& branch : type) Collect(branch, enclosing);
  }
  if (!type.is_object()) return;
  if (!DefinesAName(type)) {
    // An inner "type" of text is a name, not a definition.
    for (const char* part : {"type", "items", "values"}) {
      if (type.contains(part)) Collect(type[part], enclosing);
    }
    return;
  }
  const std::string name = FullNameOf(type, enclosing);
  definitions_.emplace(name, Definition{&type, enclosing});
  const auto fields = type.find("fields");
  if (fields == type.end() || !fields->is_array()) return;
  for (const Json& field : *fields) {
    if (field.is_object() && field.contains("type")) {
      Collect(field["type"], avro::NamespaceOf(name));
    }
  }
}

std::string SchemaNames::Resolve(const std::string& name, const std::string& enclosing) const {
  std::string full = avro::Qualify(name, enclosing);
  for (const std::string& candidate : {full, name}) {
    if (definitions_.contains(candidate) || others_.contains(candidate)) return candidate;
  }
  return full;
}

const SchemaNames::Definition* SchemaNames::Find(const std::string& full_name) const {
  const auto found = definitions_.find(full_name);
  return found == definitions_.end() ? nullptr : &found->second;
}

}  // namespace shopstream::registry
