#include "registry/references.h"

#include <deque>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "avro/node.h"
#include "base/json.h"
#include "registry/schema_json.h"
#include "registry/schema_names.h"

namespace shopstream::registry {
namespace {

using Json = nlohmann::ordered_json;

class Inliner {
 public:
  void Add(Json text) { AddNames(texts_.emplace_back(std::move(text)), ""); }

  Status Inline(Json* type, const std::string& enclosing, int depth, bool ours) {
    if (depth > kMaxSchemaDepth) {
      return Status::Invalid("with its references the schema nests deeper than ", kMaxSchemaDepth);
    }
    if (type->is_string()) return InlineName(type, enclosing, depth);
    if (type->is_array()) {
      for (Json& branch : *type) ARROW_RETURN_NOT_OK(Inline(&branch, enclosing, depth + 1, ours));
      return Status::OK();
    }
    if (!type->is_object()) return Status::OK();
    if (DefinesAName(*type)) return InlineDefinition(type, enclosing, depth, ours);
    for (const char* part : {"type", "items", "values"}) {
      if (type->contains(part)) {
        ARROW_RETURN_NOT_OK(Inline(&(*type)[part], enclosing, depth + 1, ours));
      }
    }
    return Status::OK();
  }

 private:
  // Every named type within a text; the first of a name counts.
  void AddNames(const Json& type, const std::string& enclosing) {
    std::string space = enclosing;
    if (DefinesAName(type)) {
      const std::string name = FullNameOf(type, enclosing);
      definitions_.emplace(name, &type);
      space = avro::NamespaceOf(name);
    }
    if (type.is_structured()) {
      for (const Json& part : type) AddNames(part, space);
    }
  }

  Status InlineName(Json* type, const std::string& enclosing, int depth) {
    const std::string name = *type;
    if (avro::PrimitiveKind(name)) return Status::OK();
    for (const std::string& full : {avro::Qualify(name, enclosing), name}) {
      if (defined_.contains(full)) return Status::OK();
      const auto found = definitions_.find(full);
      if (found == definitions_.end()) continue;
      Json definition = *found->second;
      definition["name"] = std::string(avro::ShortName(full));
      definition["namespace"] = avro::NamespaceOf(full);
      *type = std::move(definition);
      return Inline(type, "", depth + 1, false);
    }
    return Status::OK();
  }

  Status InlineDefinition(Json* type, const std::string& enclosing, int depth, bool ours) {
    const std::string name = FullNameOf(*type, enclosing);
    if (!defined_.insert(name).second && !ours) {
      *type = name;  // Its definition was inlined at an earlier mention.
      return Status::OK();
    }
    if (!type->contains("fields") || !(*type)["fields"].is_array()) return Status::OK();
    for (Json& field : (*type)["fields"]) {
      if (!field.is_object() || !field.contains("type")) continue;
      ARROW_RETURN_NOT_OK(Inline(&field["type"], avro::NamespaceOf(name), depth + 1, ours));
    }
    return Status::OK();
  }

  std::deque<Json> texts_;
  std::map<std::string, const Json*> definitions_;  // Within texts_.
  std::set<std::string> defined_;                   // In the schema so far.
};

}  // namespace

Result<std::string> SelfContained(const std::string& schema,
                                  const std::vector<std::string>& definitions) {
  if (definitions.empty()) return schema;
  Inliner inliner;
  for (const std::string& text : definitions) {
    ARROW_ASSIGN_OR_RAISE(Json definition, ParseSchemaJson(text));
    inliner.Add(std::move(definition));
  }
  ARROW_ASSIGN_OR_RAISE(Json type, ParseSchemaJson(schema));
  ARROW_RETURN_NOT_OK(inliner.Inline(&type, "", 0, true));
  return DumpSchemaJson(type);
}

}  // namespace shopstream::registry
