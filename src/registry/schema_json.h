#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/status.h"

namespace shopstream::registry {

// Attributes unknown to Avro may hold any JSON; code that walks it uses stack.
inline constexpr int kMaxSchemaDepth = 2'000;

// The text of an Avro schema, without its comments. Attributes keep their order, and fractions and
// numbers beyond 64 bits their spelling (as binary values, which no text can contain).
// Invalid: it is not JSON, or nests deeper than kMaxSchemaDepth.
Result<nlohmann::ordered_json> ParseSchemaJson(std::string_view text);

// On one line, without white space; the reverse of ParseSchemaJson.
std::string DumpSchemaJson(const nlohmann::ordered_json& value);

// The same with fractions by their value: 0.10 as 0.1, 1e2 as 100.0. Integers stay apart from
// fractions, and what a double does not hold keeps its spelling.
std::string DumpByValue(const nlohmann::ordered_json& value);

// With the attributes of every object in the order of their names.
nlohmann::ordered_json SortedByName(const nlohmann::ordered_json& value);

// An object without members, with memory for that many. An ordered object copies its members, and
// all within them, whenever it runs out of memory: nested ones would be copied again and again.
nlohmann::ordered_json ObjectFor(size_t members);

// As Java writes a double: 0.5, 1.0E7, NaN.
std::string JavaText(double number);

// A number in the spelling of `text`, as ParseSchemaJson makes it.
nlohmann::ordered_json NumberAsWritten(std::string_view text);

}  // namespace shopstream::registry
