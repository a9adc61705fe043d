#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/json.h"
#include "registry/decisions.h"
#include "registry/rest.h"

// Parsers of request bodies.
namespace shopstream::registry {

// {"schema": "<Avro as text>", "schemaType": "AVRO", "references": [{"name", "subject",
// "version"}],
//  "metadata": {}, "ruleSet": {}, "id": 1, "version": 1}; only the schema is required.
std::variant<PostedSchema, RestError> ParsePostedSchema(const std::string& body);

// {"compatibility": "FULL", "normalize": true, "compatibilityGroup": "major"}: `before` with the
// given fields changed; null resets a field.
std::variant<SubjectConfig, RestError> ParsePostedConfig(const std::string& body,
                                                         SubjectConfig before);

// {"mode": "READONLY"}; nothing if it is null.
std::variant<std::optional<Mode>, RestError> ParsePostedMode(const std::string& body);

}  // namespace shopstream::registry
