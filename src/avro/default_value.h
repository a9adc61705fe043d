#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "avro/node.h"

namespace shopstream::avro {

// Whether `value` may stand as a default of `type` (the table of "Complex Types, Records" in the
// specification). For a union: of any of its branches, so that records which refer to each other
// through unions may take twice the work for each level: false, too, once `steps_left`, which each
// value looked at takes one from, is below 0.
bool IsDefaultOf(const nlohmann::json& value, const Node& type, int64_t* steps_left);
inline constexpr int64_t kMaxDefaultSteps = 1 << 22;  // Beyond what a schema of 1 MiB needs.

// A default of bytes or fixed is written as a string whose code points 0-255 are the bytes. None
// where a code point is larger.
std::optional<std::string> BytesOfDefault(const std::string& text);

// Appends the default, for which IsDefaultOf holds, in Avro's binary encoding; in a union, as the
// first branch that it may stand for.
void EncodeDefault(const nlohmann::json& value, const Node& type, std::string* out);

}  // namespace shopstream::avro
