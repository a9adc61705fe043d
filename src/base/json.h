#pragma once

#include <nlohmann/json.hpp>  // IWYU pragma: export
#include <optional>
#include <string>
#include <string_view>

// The one way to include the JSON library. Its classes are compiled once, in json.cc: they would
// cost seconds in each file that uses them. Headers declare JSON with <nlohmann/json_fwd.hpp>, and
// store it in a JsonValue (base/json_value.h).

NLOHMANN_JSON_NAMESPACE_BEGIN
extern template class basic_json<>;
extern template class basic_json<ordered_map>;
namespace detail {
extern template class serializer<json>;
extern template class serializer<ordered_json>;
}  // namespace detail
NLOHMANN_JSON_NAMESPACE_END

namespace shopstream {

// Discarded (is_discarded()) if the text is not JSON.
nlohmann::json ParseJson(std::string_view text);
nlohmann::ordered_json ParseOrderedJson(std::string_view text);

// Throw nlohmann::json::exception, which names the position of the fault.
nlohmann::json ParseJsonOrThrow(std::string_view text);
nlohmann::ordered_json ParseOrderedJsonOrThrow(std::string_view text);
// Returns nothing, and stops parsing, if the text nests deeper than `max_depth`.
std::optional<nlohmann::ordered_json> ParseBoundedJsonOrThrow(std::string_view text, int max_depth);

// On one line, or with `indent` spaces per level. Bytes that are not UTF-8 become U+FFFD.
std::string DumpJson(const nlohmann::json& value, int indent = -1);
std::string DumpJson(const nlohmann::ordered_json& value, int indent = -1);

}  // namespace shopstream
