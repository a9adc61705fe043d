#include "registry/posted.h"

#include <limits>

#include "base/json.h"

namespace shopstream::registry {
namespace {

using nlohmann::json;
using Json = nlohmann::ordered_json;  // Stored text keeps its order.

constexpr int kMaxBodyDepth = 64;
constexpr const char* kInvalidLevelText =
    "Invalid compatibility level. Valid values are none, backward, forward, full, "
    "backward_transitive, forward_transitive, and full_transitive";
constexpr const char* kInvalidModeText =
    "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE and IMPORT.";

// Settings that ShopStream does not act on: accepting them would promise that they work.
constexpr const char* kConfigNotSupported[] = {"alias", "defaultMetadata", "overrideMetadata",
                                               "defaultRuleSet", "overrideRuleSet"};

RestError InvalidSchema(const std::string& reason) {
  return {kInvalidSchema, "Invalid schema: " + reason};
}

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

std::optional<RestError> ReadObject(const Json& given, const char* name, std::string* text) {
  if (given.is_null()) return std::nullopt;
  if (!given.is_object()) return RestError{kUnprocessable, std::string(name) + " is not an object"};
  *text = DumpJson(given);
  return std::nullopt;
}

}  // namespace

std::variant<PostedSchema, RestError> ParsePostedSchema(const std::string& body) {
  const Json given = ParseBody(body);
  if (given.is_discarded()) return NoObject();
  const Json type = Get(given, "schemaType");
  if (!type.is_null() && type != "AVRO") {
    return InvalidSchema("this registry holds schemas of schemaType AVRO only");
  }
  PostedSchema posted;
  const Json text = Get(given, "schema");
  if (!text.is_string()) return InvalidSchema("\"schema\" must hold the Avro schema as a string");
  posted.text = text;
  if (posted.text.size() > avro::Schema::kMaxText) {
    return RestError{kSchemaTooLarge, "The schema has " + std::to_string(posted.text.size()) +
                                          " bytes, at most " +
                                          std::to_string(avro::Schema::kMaxText) +
                                          " are accepted: drop its documentation or split it"};
  }
  if (auto error = ReadReferences(Get(given, "references"), &posted)) return *error;
  if (auto error = ReadObject(Get(given, "metadata"), "metadata", &posted.metadata)) return *error;
  if (auto error = ReadObject(Get(given, "ruleSet"), "ruleSet", &posted.rule_set)) return *error;
  const auto id = GetInt(given, "id");
  const auto version = GetInt(given, "version");
  if (!id.has_value() || !version.has_value()) {
    return RestError{kUnprocessable, "\"id\" and \"version\" are ints"};
  }
  posted.id = *id;
  posted.version = *version;
  return posted;
}

std::variant<SubjectConfig, RestError> ParsePostedConfig(const std::string& body,
                                                         SubjectConfig before) {
  const Json given = ParseBody(body);
  if (given.is_discarded()) return NoObject();
  for (const char* name : kConfigNotSupported) {
    if (!Get(given, name).is_null()) {
      return RestError{kUnprocessable,
                       std::string(name) + " is not supported by this registry: leave it out"};
    }
  }
  for (const char* name : {"validateFields", "validateRules"}) {
    if (Get(given, name) == true) {
      return RestError{kUnprocessable, std::string(name) +
                                           " is not supported by this registry: leave it out or "
                                           "set it to false"};
    }
  }
  if (given.contains("compatibility")) {
    const Json& level = given["compatibility"];
    before.level.reset();
    if (level.is_string()) before.level = ParseCompatibilityLevel(level.get<std::string>());
    if (!level.is_null() && !before.level.has_value()) {
      return RestError{kInvalidLevel, kInvalidLevelText};
    }
  }
  if (given.contains("normalize")) {
    const Json& normalize = given["normalize"];
    if (!normalize.is_null() && !normalize.is_boolean()) {
      return RestError{kUnprocessable, "normalize must be true or false"};
    }
    before.normalize.reset();
    if (normalize.is_boolean()) before.normalize = normalize.get<bool>();
  }
  if (given.contains("compatibilityGroup")) {
    const Json& group = given["compatibilityGroup"];
    if (!group.is_null() && !group.is_string()) {
      return RestError{kUnprocessable,
                       "compatibilityGroup must be the name of a metadata property"};
    }
    before.compatibility_group.reset();
    if (group.is_string()) before.compatibility_group = group.get<std::string>();
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
