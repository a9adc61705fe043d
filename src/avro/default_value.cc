#include "avro/default_value.h"

#include <algorithm>
#include <cstdint>
#include <limits>

namespace shopstream::avro {
namespace {

using nlohmann::json;

bool IsIntegerWithin(const json& value, int64_t least, int64_t most) {
  if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(most)) {
    return false;
  }
  return value.is_number_integer() && value.get<int64_t>() >= least && value.get<int64_t>() <= most;
}

// A field that the object leaves out takes its own default.
bool IsDefaultOfRecord(const json& value, const Node& type) {
  return value.is_object() && std::ranges::all_of(type.fields, [&](const Field& field) {
           const auto found = value.find(field.name);
           if (found == value.end()) return field.default_value.has_value();
           return IsDefaultOf(*found, *field.type);
         });
}

}  // namespace

std::optional<std::string> BytesOfDefault(const std::string& text) {
  // The JSON parser has refused what is not UTF-8; code points to 255 take at most two bytes.
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<uint8_t>(text[i]);
    if (lead < 0x80) {
      bytes.push_back(text[i]);
    } else if (lead <= 0xC3 && i + 1 < text.size()) {
      bytes.push_back(static_cast<char>((lead << 6) | (text[++i] & 0x3F)));
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

bool IsDefaultOf(const json& value, const Node& type) {
  const auto every = [&](const Node& items) {
    return std::ranges::all_of(value, [&](const json& item) { return IsDefaultOf(item, items); });
  };
  switch (type.kind) {
    case Kind::kNull:
      return value.is_null();
    case Kind::kBoolean:
      return value.is_boolean();
    case Kind::kInt:
      return IsIntegerWithin(value, std::numeric_limits<int32_t>::min(),
                             std::numeric_limits<int32_t>::max());
    case Kind::kLong:
      return IsIntegerWithin(value, std::numeric_limits<int64_t>::min(),
                             std::numeric_limits<int64_t>::max());
    case Kind::kFloat:
    case Kind::kDouble:
      return value.is_number();
    case Kind::kString:
      return value.is_string();
    case Kind::kBytes:
      return value.is_string() && BytesOfDefault(value.get_ref<const std::string&>()).has_value();
    case Kind::kFixed: {
      if (!value.is_string()) return false;
      const auto bytes = BytesOfDefault(value.get_ref<const std::string&>());
      return bytes && static_cast<int64_t>(bytes->size()) == type.size;
    }
    case Kind::kEnum:
      return value.is_string() &&
             std::ranges::find(type.symbols, value.get_ref<const std::string&>()) !=
                 type.symbols.end();
    case Kind::kArray:
      return value.is_array() && every(*type.items);
    case Kind::kMap:
      return value.is_object() && every(*type.items);
    case Kind::kRecord:
      return IsDefaultOfRecord(value, type);
    case Kind::kUnion:
      return std::ranges::any_of(type.branches,
                                 [&](const Node* branch) { return IsDefaultOf(value, *branch); });
  }
  return false;
}

}  // namespace shopstream::avro
