#include "registry/posted.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "avro/schema.h"
#include "base/json.h"
#include "registry/metadata.h"
#include "registry/rule_set.h"

namespace shopstream::registry {
namespace {

using nlohmann::json;
using Json = nlohmann::ordered_json;  // Stored text keeps its order.

constexpr int kMaxBodyDepth = 64;
constexpr std::string_view kSchemaTypes[] = {"AVRO", "JSON", "PROTOBUF"};
constexpr const char* kInvalidLevelText =
    "Invalid compatibility level. Valid values are none, backward, forward, full, "
    "backward_transitive, forward_transitive, and full_transitive";
constexpr const char* kInvalidModeText =
    "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE and IMPORT.";

// Discarded if it is not an object or nested too deeply.
Json ParseBody(const std::string& body) {
  try {
    auto parsed = ParseBoundedJsonOrThrow(body, kMaxBodyDepth);
    if (parsed.has_value() && parsed->is_object()) return *std::move(parsed);
  } catch (const Json::exception&) {
  }
  return Json(Json::value_t::discarded);
}

RestError NoObject() {
  return {kBadRequest,
          "The body is not a JSON object, or nests deeper than " + std::to_string(kMaxBodyDepth)};
}

Json Get(const Json& object, const char* name) {
  return object.contains(name) ? object[name] : Json();
}

// 0 if absent or null; nothing if it is not an int.
std::optional<int32_t> GetInt(const Json& object, const char* name) {
  const Json number = Get(object, name);
  if (number.is_null()) return 0;
  if (!number.is_number_integer() || number > std::numeric_limits<int32_t>::max() || number < -1) {
    return std::nullopt;
  }
  return number.get<int32_t>();
}

std::optional<RestError> ReadReferences(const Json& given, PostedSchema* posted) {
  if (given.is_null()) return std::nullopt;
  if (!given.is_array()) return InvalidSchema("\"references\" is not a list");
  for (const Json& one : given) {
    const auto version = one.is_object() ? GetInt(one, "version") : std::nullopt;
    const bool whole = version.has_value() && *version != 0 && Get(one, "name").is_string() &&
                       Get(one, "subject").is_string();
    if (!whole) return InvalidSchema("Invalid reference: " + DumpJson(one));
    posted->references.push_back({one["name"], one["subject"], *version});
  }
  return std::nullopt;
}

// Metadata or, if `are_rules`, rules.
std::optional<RestError> ReadObject(const Json& given, const char* name, bool are_rules,
                                    std::string* text) {
  const Json object = Get(given, name);
  if (object.is_null()) return std::nullopt;
  const auto read = are_rules ? ReadRules(DumpJson(object)) : ReadMetadata(DumpJson(object));
  if (!read.ok()) {
    return RestError{kUnprocessable, std::string(name) + ": " + read.status().message()};
  }
  *text = *read;
  const auto fault = are_rules ? FaultOfRules(*text) : std::nullopt;
  if (fault.has_value()) return RestError{kInvalidRules, *fault};
  return std::nullopt;
}

}  // namespace

std::variant<PostedSchema, RestError> ParsePostedSchema(const std::string& body) {
  const Json given = ParseBody(body);
  if (given.is_discarded()) return NoObject();
  PostedSchema posted;
  const Json type = Get(given, "schemaType");
  if (!type.is_null()) {
    if (!type.is_string() || std::ranges::count(kSchemaTypes, type.get<std::string>()) == 0) {
      return InvalidSchema("the schemaType " + DumpJson(type) + " is not AVRO, JSON or PROTOBUF");
    }
    posted.type = type;
  }
  const Json text = Get(given, "schema");
  if (!text.is_null()) {
    if (!text.is_string()) return InvalidSchema("\"schema\" must hold the schema as a string");
    posted.text = text;
  }
  if (posted.text.size() > avro::Schema::kMaxText) {
    return RestError{kSchemaTooLarge, "The schema has " + std::to_string(posted.text.size()) +
                                          " bytes, at most " +
                                          std::to_string(avro::Schema::kMaxText) +
                                          " are accepted: drop its documentation or split it"};
  }
  if (auto error = ReadReferences(Get(given, "references"), &posted)) return *error;
  if (auto error = ReadObject(given, "metadata", false, &posted.metadata)) return *error;
  if (auto error = ReadObject(given, "ruleSet", true, &posted.rule_set)) return *error;
  const auto id = GetInt(given, "id");
  const auto version = GetInt(given, "version");
  if (!id.has_value() || !version.has_value()) {
    return RestError{kUnprocessable, "\"id\" and \"version\" are ints"};
  }
  posted.id = *id;
  posted.version = *version;
  return posted;
}

std::variant<PostedConfig, RestError> ParsePostedConfig(const std::string& body) {
  const Json given = ParseBody(body);
  if (given.is_discarded()) return NoObject();
  PostedConfig posted;
  posted.given = json::object();
  SubjectConfig& config = posted.config;
  const auto take = [&](const char* name) {
    const Json value = Get(given, name);
    if (!value.is_null()) posted.given[name] = ParseJson(DumpJson(value));
    return value;
  };
  const Json level = take("compatibility");
  if (level.is_string()) config.level = ParseCompatibilityLevel(level.get<std::string>());
  if (!level.is_null() && !config.level.has_value()) {
    return RestError{kInvalidLevel, kInvalidLevelText};
  }
  for (const auto& [name, member] : kConfigMembers.flags) {
    const Json flag = take(name);
    if (flag.is_boolean()) config.*member = flag.get<bool>();
    if (!flag.is_null() && !flag.is_boolean()) {
      return RestError{kUnprocessable, std::string(name) + " must be true or false"};
    }
  }
  for (const auto& [name, member] : kConfigMembers.texts) {
    const Json text = take(name);
    if (text.is_string()) config.*member = text.get<std::string>();
    if (!text.is_null() && !text.is_string()) {
      return RestError{kUnprocessable, std::string(name) + " must be a string"};
    }
  }
  for (const auto& [name, member] : kConfigMembers.objects) {
    const bool are_rules = std::string_view(name).ends_with("RuleSet");
    if (auto error = ReadObject(given, name, are_rules, &(config.*member))) return *error;
    if (!(config.*member).empty()) posted.given[name] = ParseJson(config.*member);
  }
  return posted;
}

SubjectConfig Updated(SubjectConfig before, const SubjectConfig& given) {
  if (given.level.has_value()) before.level = given.level;
  for (const auto& [name, member] : kConfigMembers.flags) {
    if ((given.*member).has_value()) before.*member = given.*member;
  }
  for (const auto& [name, member] : kConfigMembers.texts) {
    if ((given.*member).has_value()) before.*member = given.*member;
  }
  for (const auto& [name, member] : kConfigMembers.objects) {
    if (!(given.*member).empty()) before.*member = given.*member;
  }
  return before;
}

std::variant<std::optional<Mode>, RestError> ParsePostedMode(const std::string& body) {
  const Json given = ParseBody(body);
  if (given.is_discarded()) return NoObject();
  const Json name = Get(given, "mode");
  if (name.is_null()) return std::optional<Mode>();
  const auto mode = name.is_string() ? ParseMode(name.get<std::string>()) : std::nullopt;
  if (!mode.has_value()) return RestError{kInvalidMode, kInvalidModeText};
  return mode;
}

}  // namespace shopstream::registry
