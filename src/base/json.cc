#include "base/json.h"

#include <utility>

#include "base/json_value.h"

NLOHMANN_JSON_NAMESPACE_BEGIN
template class basic_json<>;
template class basic_json<ordered_map>;
namespace detail {
template class serializer<json>;
template class serializer<ordered_json>;
}  // namespace detail
NLOHMANN_JSON_NAMESPACE_END

namespace shopstream {

using nlohmann::json;
using nlohmann::ordered_json;

json ParseJson(std::string_view text) { return json::parse(text, nullptr, false); }

ordered_json ParseOrderedJson(std::string_view text) {
  return ordered_json::parse(text, nullptr, false);
}

json ParseJsonOrThrow(std::string_view text) { return json::parse(text); }

ordered_json ParseOrderedJsonOrThrow(std::string_view text) { return ordered_json::parse(text); }

std::optional<ordered_json> ParseBoundedJsonOrThrow(std::string_view text, int max_depth) {
  bool too_deep = false;
  ordered_json parsed =
      ordered_json::parse(text, [&](int depth, ordered_json::parse_event_t, const ordered_json&) {
        too_deep = too_deep || depth > max_depth;
        return !too_deep;
      });
  if (too_deep) return std::nullopt;
  return parsed;
}

std::string DumpJson(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

std::string DumpJson(const ordered_json& value, int indent) {
  return value.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

JsonValue::JsonValue() : value_(std::make_unique<json>()) {}
JsonValue::JsonValue(const json& value) : value_(std::make_unique<json>(value)) {}
JsonValue::JsonValue(const JsonValue& other) : JsonValue(*other) {}
JsonValue::JsonValue(JsonValue&& other) noexcept : JsonValue() { value_.swap(other.value_); }
JsonValue& JsonValue::operator=(JsonValue other) noexcept {
  value_.swap(other.value_);
  return *this;
}
JsonValue::~JsonValue() = default;

json& JsonValue::operator[](const char* name) { return (*value_)[name]; }

}  // namespace shopstream
