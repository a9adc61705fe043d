#pragma once

#include <span>
#include <string>

#include "base/json.h"
#include "base/status.h"

// How Confluent's registry reads the JSON of metadata and rules, and writes it again.
namespace shopstream::registry {

enum class Shape {
  kName,      // Text.
  kText,      // Text; "" is dropped.
  kFlag,      // True; false is dropped.
  kTexts,     // A set of texts, which is sorted.
  kTextMap,   // Texts by name.
  kTextSets,  // Sets of texts by name.
};

struct ShapedMember {
  const char* name;
  Shape shape;
};

// The known members of the object, in its order; null and empty ones are dropped. Numbers, true and
// false are treated as text. Invalid names the member that has another shape.
Result<nlohmann::ordered_json> ReadMembers(const nlohmann::ordered_json& object,
                                           std::span<const ShapedMember> members);

}  // namespace shopstream::registry
