#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"

namespace shopstream::registry {

// Whether a schema's object defines a record, enum or fixed.
bool DefinesAName(const nlohmann::ordered_json& type);
// The full name of a definition within a namespace.
std::string FullNameOf(const nlohmann::ordered_json& definition, const std::string& enclosing);
// An attribute if it is text, which Avro's Java library requires of namespaces and docs.
std::optional<std::string> TextOf(const nlohmann::ordered_json& object, const char* name);

// The named types of one schema, before or after their use, and those it may use of others.
class SchemaNames {
 public:
  struct Definition {
    const nlohmann::ordered_json* type = nullptr;
    std::string enclosing;  // The namespace around it.
  };

  // `schema` must outlive it.
  SchemaNames(const nlohmann::ordered_json& schema, const std::vector<std::string>& other_types);

  // The full name that `name` means in a namespace: in it, otherwise in none.
  std::string Resolve(const std::string& name, const std::string& enclosing) const;
  // Null: another schema defines it, or none does.
  const Definition* Find(const std::string& full_name) const;

 private:
  void Collect(const nlohmann::ordered_json& type, const std::string& enclosing);

  std::map<std::string, Definition> definitions_;  // The first of each name.
  std::set<std::string> others_;
};

}  // namespace shopstream::registry
