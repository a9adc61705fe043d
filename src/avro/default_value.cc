#include "avro/default_value.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "avro/binary.h"
#include "base/json.h"

namespace shopstream::avro {
namespace {

using nlohmann::json;

bool IsIntegerWithin(const json& value, int64_t least, int64_t most) {
  if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(most)) {
    return false;
  }
  return value.is_number_integer() && value.get<int64_t>() >= least && value.get<int64_t>() <= most;
}

// A field missing from the object takes its own default.
bool IsDefaultOfRecord(const json& value, const Node& type, int64_t* steps_left) {
  return value.is_object() && std::ranges::all_of(type.fields, [&](const Field& field) {
           const auto found = value.find(field.name);
           if (found == value.end()) return field.default_value != nullptr;
           return IsDefaultOf(*found, *field.type, steps_left);
         });
}

void AppendLong(int64_t value, std::string* out) {
  uint8_t bytes[kMaxLongBytes];
  const uint8_t* end = PutVarint(ZigZag(value), bytes);
  out->append(reinterpret_cast<const char*>(bytes), end - bytes);
}

void AppendText(std::string_view text, std::string* out) {
  AppendLong(static_cast<int64_t>(text.size()), out);
  out->append(text);
}

template <typename T>
void AppendNumber(T value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void AppendRecord(const json& value, const Node& type, std::string* out) {
  for (const Field& field : type.fields) {
    const auto found = value.find(field.name);
    EncodeDefault(found == value.end() ? *field.default_value : *found, *field.type, out);
  }
}

void AppendUnion(const json& value, const Node& type, std::string* out) {
  const auto branch = std::ranges::find_if(type.branches, [&](const Node* candidate) {
    int64_t steps_left = kMaxDefaultSteps;
    return IsDefaultOf(value, *candidate, &steps_left);
  });
  AppendLong(branch - type.branches.begin(), out);
  EncodeDefault(value, **branch, out);
}

// One block and the end marker.
void AppendItems(const json& value, const Node& type, std::string* out) {
  if (!value.empty()) AppendLong(static_cast<int64_t>(value.size()), out);
  for (const auto& [key, item] : value.items()) {
    if (type.kind == Kind::kMap) AppendText(key, out);
    EncodeDefault(item, *type.items, out);
  }
  AppendLong(0, out);
}

}  // namespace

std::optional<std::string> BytesOfDefault(const std::string& text) {
  // The JSON parser has rejected invalid UTF-8; code points up to 255 take at most two bytes.
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

bool IsDefaultOf(const json& value, const Node& type, int64_t* steps_left) {
  if (--*steps_left < 0) return false;
  const auto every = [&](const Node& items) {
    return std::ranges::all_of(
        value, [&](const json& item) { return IsDefaultOf(item, items, steps_left); });
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
      return IsDefaultOfRecord(value, type, steps_left);
    case Kind::kUnion:
      return std::ranges::any_of(type.branches, [&](const Node* branch) {
        return IsDefaultOf(value, *branch, steps_left);
      });
  }
  return false;
}

void EncodeDefault(const json& value, const Node& type, std::string* out) {
  switch (type.kind) {
    case Kind::kNull:
      return;
    case Kind::kBoolean:
      return out->push_back(value.get<bool>() ? 1 : 0);
    case Kind::kInt:
    case Kind::kLong:
      return AppendLong(value.get<int64_t>(), out);
    case Kind::kFloat:
      return AppendNumber(value.get<float>(), out);
    case Kind::kDouble:
      return AppendNumber(value.get<double>(), out);
    case Kind::kString:
      return AppendText(value.get_ref<const std::string&>(), out);
    case Kind::kBytes:
      return AppendText(*BytesOfDefault(value.get_ref<const std::string&>()), out);
    case Kind::kFixed:
      out->append(*BytesOfDefault(value.get_ref<const std::string&>()));
      return;
    case Kind::kEnum:
      return AppendLong(std::ranges::find(type.symbols, value.get_ref<const std::string&>()) -
                            type.symbols.begin(),
                        out);
    case Kind::kArray:
    case Kind::kMap:
      return AppendItems(value, type, out);
    case Kind::kRecord:
      return AppendRecord(value, type, out);
    case Kind::kUnion:
      return AppendUnion(value, type, out);
  }
}

}  // namespace shopstream::avro
