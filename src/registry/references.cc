#include "registry/references.h"

#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "avro/node.h"
#include "base/json.h"
#include "registry/canonical.h"

namespace shopstream::registry {
namespace {

using Json = nlohmann::ordered_json;

Result<Json> ParseBounded(const std::string& text) {
  try {
    if (auto parsed = ParseBoundedJsonOrThrow(text, kMaxSchemaDepth)) return *std::move(parsed);
  } catch (const Json::exception& e) {
    return Status::Invalid("not a schema: ", e.what());
  }
  return Status::Invalid("not a schema: nested deeper than ", kMaxSchemaDepth);
}

std::string SpaceOf(const std::string& full_name) {
  const auto dot = full_name.rfind('.');
  return dot == std::string::npos ? "" : full_name.substr(0, dot);
}

std::string Qualify(const std::string& name, const std::string& space) {
  return space.empty() || name.find('.') != std::string::npos ? name : space + "." + name;
}

bool DefinesAName(const Json& type) {
  if (!type.is_object() || !type.contains("type") || !type.contains("name")) return false;
  const Json& kind = type["type"];
  return type["name"].is_string() &&
         (kind == "record" || kind == "error" || kind == "enum" || kind == "fixed");
}

std::string FullNameOf(const Json& type, const std::string& enclosing) {
  const std::string name = type["name"];
  const bool has_space = type.contains("namespace") && type["namespace"].is_string();
  return Qualify(name, has_space ? type["namespace"].get<std::string>() : enclosing);
}

class Inliner {
 public:
  // Records every named type in the text.
  void AddDefinitions(const Json& type, const std::string& enclosing) {
    std::string space = enclosing;
    if (DefinesAName(type)) {
      const std::string name = FullNameOf(type, enclosing);
      definitions_.emplace(name, type);
      space = SpaceOf(name);
    }
    if (type.is_structured()) {
      for (const Json& part : type) AddDefinitions(part, space);
    }
  }

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
  Status InlineName(Json* type, const std::string& enclosing, int depth) {
    const std::string name = *type;
    if (avro::PrimitiveKind(name)) return Status::OK();
    for (const std::string& full : {Qualify(name, enclosing), name}) {
      if (defined_.contains(full)) return Status::OK();
      const auto found = definitions_.find(full);
      if (found == definitions_.end()) continue;
      Json definition = found->second;
      definition["name"] = std::string(avro::ShortName(full));
      definition["namespace"] = SpaceOf(full);
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
      ARROW_RETURN_NOT_OK(Inline(&field["type"], SpaceOf(name), depth + 1, ours));
    }
    return Status::OK();
  }

  std::map<std::string, Json> definitions_;
  std::set<std::string> defined_;  // In the schema so far.
};

}  // namespace

Result<std::string> SelfContained(const std::string& schema,
                                  const std::vector<std::string>& definitions) {
  if (definitions.empty()) return schema;
  Inliner inliner;
  for (const std::string& text : definitions) {
    ARROW_ASSIGN_OR_RAISE(const Json definition, ParseBounded(text));
    inliner.AddDefinitions(definition, "");
  }
  ARROW_ASSIGN_OR_RAISE(Json type, ParseBounded(schema));
  ARROW_RETURN_NOT_OK(inliner.Inline(&type, "", 0, true));
  return DumpJson(type);
}

}  // namespace shopstream::registry
