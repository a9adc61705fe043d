#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "avro/node.h"

namespace shopstream::avro {

inline bool IsFloat(const Node& type) {
  return type.kind == Kind::kFloat || type.kind == Kind::kDouble;
}

// Both stop, with false, once `steps_left`, which each visited value decrements, is below 0:
// records that refer to each other through unions may double the work at each level.
inline constexpr int64_t kMaxDefaultSteps = 1 << 22;  // More than a schema of 1 MiB needs.

// Whether Avro's Java library accepts the field's default when it validates defaults (the table of
// "Complex Types, Records" in the specification, but any text for an enum, fixed or bytes). For a
// union: as a default of any branch. A float's or double's may be the text of a number.
bool IsDefaultOf(const Field& field, int64_t* steps_left);

// Whether the field's default is a value of its type, so that EncodeDefault can write it. A record
// may leave out fields whose own default has been found valid.
bool IsReadableDefault(const Field& field, int64_t* steps_left);

// A default of bytes or fixed is written as a string whose code points 0-255 are the bytes. Nothing
// if a code point is larger.
std::optional<std::string> BytesOfDefault(const std::string& text);

// The number that Java's Double.parseDouble reads in decimal notation: " 1.5d ", "NaN",
// "-Infinity".
std::optional<double> NumberOfDefault(std::string_view text);

// Appends a default that passed IsReadableDefault, in Avro's binary encoding; for a union, as the
// first branch that allows it.
void EncodeDefault(const nlohmann::json& value, const Node& type, std::string* out);

}  // namespace shopstream::avro
