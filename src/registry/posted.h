#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/json.h"
#include "registry/decisions.h"
#include "registry/rest.h"

// Parsers of request bodies.
namespace shopstream::registry {

// {"schema": "<text>", "schemaType": "AVRO", "references": [{"name", "subject", "version"}],
//  "metadata": {}, "ruleSet": {}, "id": 1, "version": 1}; nothing is required.
std::variant<PostedSchema, RestError> ParsePostedSchema(const std::string& body);

// {"compatibility": "FULL", "normalize": true, "compatibilityGroup": "major", ...}
struct PostedConfig {
  SubjectConfig config;  // What is absent or null is not set.
  nlohmann::json given;  // The settings that were given, as they are read.
};
std::variant<PostedConfig, RestError> ParsePostedConfig(const std::string& body);
// With the given settings changed.
SubjectConfig Updated(SubjectConfig before, const SubjectConfig& given);

// {"mode": "READONLY"}; nothing if it is null.
std::variant<std::optional<Mode>, RestError> ParsePostedMode(const std::string& body);

}  // namespace shopstream::registry
