#include "avro/redefinition.h"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <string_view>
#include <utility>

#include "base/json.h"

namespace shopstream::avro {
namespace {

using nlohmann::json;

// Attributes without a meaning in Avro. Java compares them.
json RestOf(const json& source, std::initializer_list<std::string_view> known) {
  json rest = source;
  for (const std::string_view name : known) rest.erase(std::string(name));
  return rest;
}

json RestOfType(const json& source) {
  return RestOf(source, {"doc", "fields", "items", "name", "namespace", "size", "symbols", "values",
                         "type", "aliases", "default"});
}

json RestOfField(const json& source) {
  return RestOf(source, {"default", "doc", "name", "type", "aliases"});
}

class SameTypes {
 public:
  bool Same(const Node& one, const Node& other) {
    if (&one == &other) return true;
    const bool head = one.kind == other.kind && one.name == other.name &&
                      one.logical_type == other.logical_type && one.precision == other.precision &&
                      one.scale == other.scale && one.size == other.size &&
                      one.symbols == other.symbols;
    if (!head) return false;
    if (one.is_named() && !seen_.insert({&one, &other}).second) return true;
    if (one.items != nullptr && !Same(*one.items, *other.items)) return false;
    return std::ranges::equal(one.branches, other.branches,
                              [&](const Node* a, const Node* b) { return Same(*a, *b); }) &&
           std::ranges::equal(one.fields, other.fields,
                              [&](const Field& a, const Field& b) { return SameField(a, b); });
  }

 private:
  bool SameField(const Field& one, const Field& other) {
    const bool both = one.default_value && other.default_value;
    const bool defaults = both ? *one.default_value == *other.default_value
                               : !one.default_value && !other.default_value;
    return one.name == other.name && defaults && Same(*one.type, *other.type);
  }

  std::set<std::pair<const Node*, const Node*>> seen_;
};

}  // namespace

bool IsSameDefinition(const Definition& one, const Definition& other) {
  if (!SameTypes().Same(*one.node, *other.node)) return false;
  if (RestOfType(*one.source) != RestOfType(*other.source)) return false;
  if (one.node->kind != Kind::kRecord) return true;
  return std::ranges::equal(
      one.source->at("fields"), other.source->at("fields"),
      [](const json& a, const json& b) { return RestOfField(a) == RestOfField(b); });
}

}  // namespace shopstream::avro
