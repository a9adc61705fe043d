#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "avro/node.h"

namespace shopstream::avro {

// Whether `value` is allowed as a default of `type` (the table of "Complex Types, Records" in the
// specification). For a union: of any of its branches, so that records which refer to each other
// through unions may double the work at each level. Also false once `steps_left`, which each
// visited value decrements, is below 0.
bool IsDefaultOf(const nlohmann::json& value, const Node& type, int64_t* steps_left);
inline constexpr int64_t kMaxDefaultSteps = 1 << 22;  // More than a schema of 1 MiB needs.

// A default of bytes or fixed is written as a string whose code points 0-255 are the bytes. Nothing
// if a code point is larger.
std::optional<std::string> BytesOfDefault(const std::string& text);

// Appends a default that passed IsDefaultOf, in Avro's binary encoding; for a union, as the first
// branch that allows it.
void EncodeDefault(const nlohmann::json& value, const Node& type, std::string* out);

}  // namespace shopstream::avro
