#include "registry/metadata.h"

#include <algorithm>

#include "base/join.h"
#include "base/json.h"
#include "registry/shape.h"

namespace shopstream::registry {
namespace {

using Json = nlohmann::ordered_json;

constexpr ShapedMember kMetadataMembers[] = {
    {"tags", Shape::kTextSets}, {"properties", Shape::kTextMap}, {"sensitive", Shape::kTexts}};

Json ObjectOf(const std::string& text) {
  Json parsed = text.empty() ? Json::object() : ParseOrderedJson(text);
  return parsed.is_object() ? parsed : Json::object();
}

// Without members that hold nothing.
std::string TextOf(Json metadata) {
  for (const char* name : {"tags", "properties", "sensitive"}) {
    if (metadata.contains(name) && metadata[name].empty()) metadata.erase(name);
  }
  return DumpJson(metadata);
}

}  // namespace

Result<std::string> ReadMetadata(const std::string& metadata) {
  ARROW_ASSIGN_OR_RAISE(const Json read, ReadMembers(ParseOrderedJson(metadata), kMetadataMembers));
  return DumpJson(read);
}

std::string MergeMetadata(const std::string& under, const std::string& over) {
  if (under.empty() || over.empty()) return under.empty() ? over : under;
  Json merged = ObjectOf(under);
  const Json above = ObjectOf(over);
  for (const auto& [name, value] : above.items()) {
    Json& member = merged[name];
    if (member.is_object() && value.is_object()) {
      member.update(value);
    } else if (member.is_array() && value.is_array()) {
      for (const Json& item : value) {
        if (std::find(member.begin(), member.end(), item) == member.end()) member.push_back(item);
      }
      std::sort(member.begin(), member.end());
    } else if (!value.is_null()) {
      member = value;
    }
  }
  return DumpJson(merged);
}

std::map<std::string, std::string> PropertiesOf(const std::string& metadata) {
  std::map<std::string, std::string> properties;
  const Json parsed = ObjectOf(metadata);
  if (!parsed.contains("properties") || !parsed["properties"].is_object()) return properties;
  for (const auto& [name, value] : parsed["properties"].items()) {
    if (value.is_string()) properties[name] = value;
  }
  return properties;
}

std::optional<std::string> PropertyOf(const std::string& metadata, const std::string& name) {
  const auto properties = PropertiesOf(metadata);
  const auto found = properties.find(name);
  if (found == properties.end()) return std::nullopt;
  return found->second;
}

std::string WithVersionProperty(const std::string& metadata, int version) {
  Json changed = ObjectOf(metadata);
  if (!changed.contains("properties") || !changed["properties"].is_object()) {
    changed["properties"] = Json::object();
  }
  changed["properties"][kVersionProperty] = std::to_string(version);
  return DumpJson(changed);
}

std::string WithoutVersionProperty(const std::string& metadata) {
  Json changed = ObjectOf(metadata);
  if (changed.contains("properties") && changed["properties"].is_object()) {
    changed["properties"].erase(kVersionProperty);
  }
  const std::string text = TextOf(std::move(changed));
  return text == "{}" ? "" : text;
}

std::set<std::string> ReservedFieldsOf(const std::string& metadata) {
  const auto fields = SplitList(PropertyOf(metadata, "confluent:reserved").value_or(""));
  return {fields.begin(), fields.end()};
}

bool IsSameMetadata(const std::string& one, const std::string& other) {
  const auto sorted = [](const std::string& text) {
    return ParseJson(ReadMetadata(text).ValueOr(text));
  };
  return one == other || (!one.empty() && !other.empty() && sorted(one) == sorted(other));
}

}  // namespace shopstream::registry
