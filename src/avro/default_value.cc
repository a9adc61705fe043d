#include "avro/default_value.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <system_error>

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

// Visits a default and its type together.
class DefaultCheck {
 public:
  // `readable`: whether only values of the type pass, or also what Java accepts.
  DefaultCheck(bool readable, int64_t* steps_left) : readable_(readable), steps_left_(steps_left) {}

  bool Allows(const json& value, const Node& type) {
    if (--*steps_left_ < 0) return false;
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
      case Kind::kBytes:
      case Kind::kFixed:
      case Kind::kEnum:
        return value.is_string() && (!readable_ || IsValue(value, type));
      case Kind::kArray:
        return value.is_array() && AllowsItems(value, *type.items);
      case Kind::kMap:
        return value.is_object() && AllowsItems(value, *type.items);
      case Kind::kRecord:
        return AllowsRecord(value, type);
      case Kind::kUnion:
        return std::ranges::any_of(type.branches,
                                   [&](const Node* branch) { return Allows(value, *branch); });
    }
    return false;
  }

 private:
  static bool IsValue(const json& value, const Node& type) {
    const auto& text = value.get_ref<const std::string&>();
    if (type.kind == Kind::kString) return true;
    if (type.kind == Kind::kEnum) {
      return std::ranges::find(type.symbols, text) != type.symbols.end();
    }
    const auto bytes = BytesOfDefault(text);
    if (type.kind == Kind::kBytes) return bytes.has_value();
    return bytes && static_cast<int64_t>(bytes->size()) == type.size;
  }

  bool AllowsItems(const json& value, const Node& items) {
    return std::ranges::all_of(value, [&](const json& item) { return Allows(item, items); });
  }

  // A field missing from the object takes its own default, which is checked as that field's.
  bool AllowsRecord(const json& value, const Node& type) {
    return value.is_object() && std::ranges::all_of(type.fields, [&](const Field& field) {
             const auto found = value.find(field.name);
             if (found != value.end()) return Allows(*found, *field.type);
             return readable_ ? field.default_valid : field.default_value != nullptr;
           });
  }

  const bool readable_;
  int64_t* const steps_left_;
};

bool IsAllowed(const Field& field, bool readable, int64_t* steps_left) {
  const json& value = *field.default_value;
  if (IsFloat(*field.type) && value.is_string()) {
    return NumberOfDefault(value.get_ref<const std::string&>()).has_value();
  }
  return DefaultCheck(readable, steps_left).Allows(value, *field.type);
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

double NumberOf(const json& value) {
  if (!value.is_string()) return value.get<double>();
  return *NumberOfDefault(value.get_ref<const std::string&>());
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
    return DefaultCheck(/*readable=*/true, &steps_left).Allows(value, *candidate);
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

std::optional<double> NumberOfDefault(std::string_view text) {
  const auto is_space = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const auto with_sign = [&](double number) { return negative ? -number : number; };
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return with_sign(std::numeric_limits<double>::infinity());
  // "inf" and "nan" are numbers to from_chars only.
  if (text.empty() || (text.front() != '.' && (text.front() < '0' || text.front() > '9'))) {
    return std::nullopt;
  }
  if (std::string_view("dDfF").find(text.back()) != std::string_view::npos) text.remove_suffix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc()) return with_sign(number);
  // Java rounds to 0 or infinity.
  const size_t exponent = text.find_first_of("eE");
  const bool small = exponent == std::string_view::npos
                         ? text.front() == '.' || text[0] == '0'
                         : text.substr(exponent + 1).starts_with('-');
  return with_sign(small ? 0 : std::numeric_limits<double>::infinity());
}

bool IsDefaultOf(const Field& field, int64_t* steps_left) {
  return IsAllowed(field, /*readable=*/false, steps_left);
}

bool IsReadableDefault(const Field& field, int64_t* steps_left) {
  return IsAllowed(field, /*readable=*/true, steps_left);
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
      return AppendNumber(static_cast<float>(NumberOf(value)), out);
    case Kind::kDouble:
      return AppendNumber(NumberOf(value), out);
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
