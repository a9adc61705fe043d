#include "avro/shown_value.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "avro/binary.h"
#include "avro/default_value.h"
#include "avro/logical_text.h"
#include "avro/node.h"
#include "base/format.h"
#include "base/json.h"
#include "base/timestamp.h"

namespace shopstream::avro {
namespace {

using nlohmann::json;

constexpr int kMostDepth = 200;
constexpr int64_t kMillisOfDay = 86'400'000;

void AppendLong(int64_t value, std::string* out) {
  uint8_t bytes[kMaxLongBytes + 8];
  const uint8_t* end = PutVarint(ZigZag(value), bytes);
  out->append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(end - bytes));
}

template <typename T>
void AppendRaw(T value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

std::optional<std::string> BytesOf(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = HexDigit(hex[i]), low = HexDigit(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

// Of a date or timestamp as text, in the type's unit.
std::optional<int64_t> InstantOf(const std::string& text, const std::string& logical_type) {
  const auto millis = ParseTimestamp(text);
  if (!millis.ok()) return std::nullopt;
  if (logical_type == "date") {
    return *millis % kMillisOfDay == 0 ? std::optional(*millis / kMillisOfDay) : std::nullopt;
  }
  if (logical_type.ends_with("-micros")) return *millis * 1000;
  if (logical_type.ends_with("-nanos")) {
    const bool fits = std::abs(*millis) <= std::numeric_limits<int64_t>::max() / 1'000'000;
    return fits ? std::optional(*millis * 1'000'000) : std::nullopt;
  }
  return *millis;
}

bool IsInstant(const std::string& logical_type) {
  return logical_type == "date" || logical_type.starts_with("timestamp-") ||
         logical_type.starts_with("local-timestamp-");
}

// "12.5" with a scale of 2 as "12.50"; a sign or digits that are missing stay.
std::string WithScale(std::string text, int32_t scale) {
  const size_t point = text.find('.');
  const size_t digits = point == std::string::npos ? 0 : text.size() - point - 1;
  if (scale > 0 && point == std::string::npos) text += '.';
  for (size_t i = digits; i < static_cast<size_t>(scale); ++i) text += '0';
  return text;
}

class Writer {
 public:
  explicit Writer(std::string* out) : out_(out) {}

  Status Write(const json& value, const Node& type, const std::string& path, int depth);

 private:
  static Status Refuse(const std::string& path, const Node& type, const json& value,
                       const std::string& takes = "") {
    constexpr size_t kShown = 60;
    std::string text = DumpJson(value);
    if (text.size() > kShown) text = text.substr(0, kShown) + "...";
    return Status::Invalid(path.empty() ? "the value" : path, ": ", text, " is no ", Describe(type),
                           takes.empty() ? "" : "; it takes " + takes);
  }

  Status WriteWhole(const json& value, const Node& type, const std::string& path);
  Status WriteBytes(const json& value, const Node& type, const std::string& path);
  Status WriteRecord(const json& value, const Node& type, const std::string& path, int depth);
  Status WriteItems(const json& value, const Node& type, const std::string& path, int depth);
  Status WriteUnion(const json& value, const Node& type, const std::string& path, int depth);

  std::string* const out_;
};

Status Writer::WriteWhole(const json& value, const Node& type, const std::string& path) {
  std::optional<int64_t> number;
  const bool fits =
      !value.is_number_unsigned() || value.get<uint64_t>() <= std::numeric_limits<int64_t>::max();
  if (value.is_number_integer() && fits) number = value.get<int64_t>();
  if (value.is_string() && IsInstant(type.logical_type)) {
    number = InstantOf(value.get<std::string>(), type.logical_type);
  }
  const bool is_int = type.kind == Kind::kInt;
  if (!number || (is_int && (*number < std::numeric_limits<int32_t>::min() ||
                             *number > std::numeric_limits<int32_t>::max()))) {
    return Refuse(path, type, value,
                  IsInstant(type.logical_type) ? "a time such as 2025-10-24T08:15:30Z" : "");
  }
  AppendLong(*number, out_);
  return Status::OK();
}

Status Writer::WriteBytes(const json& value, const Node& type, const std::string& path) {
  std::optional<std::string> bytes;
  std::string takes = "hexadecimal digits";
  const std::string text = value.is_string() ? value.get<std::string>()
                           : value.is_number() && type.logical_type == "decimal" ? DumpJson(value)
                                                                                 : "";
  if (type.logical_type == "decimal") {
    takes = "a number with at most " + std::to_string(type.scale) + " digits after the point";
    bytes = ParseDecimal(WithScale(text, type.scale), type.precision, type.scale);
    if (bytes && type.kind == Kind::kFixed && std::ssize(*bytes) < type.size) {
      const bool negative = !bytes->empty() && static_cast<signed char>(bytes->front()) < 0;
      bytes->insert(0, static_cast<size_t>(type.size) - bytes->size(), negative ? '\xff' : '\0');
    }
  } else if (type.logical_type == "uuid" && type.kind == Kind::kFixed) {
    takes = "a UUID";
    bytes = ParseUuid(text);
  } else if (type.logical_type == "duration") {
    takes = "a duration such as P1M2DT3.004S";
    bytes = ParseDuration(text);
  } else if (value.is_string()) {
    bytes = BytesOf(text);
  }
  const bool fixed = type.kind == Kind::kFixed;
  if (fixed && type.logical_type.empty()) takes = std::to_string(2 * type.size) + " " + takes;
  if (!bytes || (fixed && std::ssize(*bytes) != type.size)) return Refuse(path, type, value, takes);
  if (!fixed) AppendLong(std::ssize(*bytes), out_);
  *out_ += *bytes;
  return Status::OK();
}

Status Writer::WriteRecord(const json& value, const Node& type, const std::string& path,
                           int depth) {
  if (!value.is_object()) return Refuse(path, type, value);
  for (const auto& [name, member] : value.items()) {
    const bool known = std::ranges::find(type.fields, name, &Field::name) != type.fields.end();
    if (!known) return Status::Invalid(Describe(type), " has no field ", name);
  }
  for (const Field& field : type.fields) {
    const std::string place = path.empty() ? field.name : path + "." + field.name;
    const auto found = value.find(field.name);
    if (found != value.end()) {
      ARROW_RETURN_NOT_OK(Write(*found, *field.type, place, depth));
    } else if (field.default_value != nullptr && field.default_valid) {
      EncodeDefault(*field.default_value, *field.type, out_);
    } else {
      return Status::Invalid(place, " is missing, and has no default");
    }
  }
  return Status::OK();
}

Status Writer::WriteItems(const json& value, const Node& type, const std::string& path, int depth) {
  const bool is_map = type.kind == Kind::kMap;
  if (is_map ? !value.is_object() : !value.is_array()) return Refuse(path, type, value);
  if (!value.empty()) AppendLong(static_cast<int64_t>(value.size()), out_);
  for (const auto& [key, item] : value.items()) {
    if (is_map) {
      AppendLong(std::ssize(key), out_);
      *out_ += key;
    }
    const std::string place = is_map ? path + "." + key : path + "[" + key + "]";
    ARROW_RETURN_NOT_OK(Write(item, *type.items, place, depth));
  }
  AppendLong(0, out_);
  return Status::OK();
}

Status Writer::WriteUnion(const json& value, const Node& type, const std::string& path, int depth) {
  Status refused = Refuse(path, type, value);
  for (size_t branch = 0; branch < type.branches.size(); ++branch) {
    const size_t begin = out_->size();
    AppendLong(static_cast<int64_t>(branch), out_);
    const Status written = Write(value, *type.branches[branch], path, depth);
    if (written.ok()) return written;
    out_->resize(begin);
    // Of a nullable field, the reason is that of its other branch.
    if (type.branches.size() == 2 && type.branches[branch]->kind != Kind::kNull) refused = written;
  }
  return refused;
}

Status Writer::Write(const json& value, const Node& type, const std::string& path, int depth) {
  if (depth > kMostDepth) return Status::Invalid(path, " nests too deep");
  switch (type.kind) {
    case Kind::kNull:
      return value.is_null() ? Status::OK() : Refuse(path, type, value);
    case Kind::kBoolean:
      if (!value.is_boolean()) return Refuse(path, type, value);
      *out_ += value.get<bool>() ? '\1' : '\0';
      return Status::OK();
    case Kind::kInt:
    case Kind::kLong:
      return WriteWhole(value, type, path);
    case Kind::kFloat:
    case Kind::kDouble: {
      if (!value.is_number()) return Refuse(path, type, value);
      if (type.kind == Kind::kDouble) {
        AppendRaw(value.get<double>(), out_);
      } else {
        AppendRaw(value.get<float>(), out_);
      }
      return Status::OK();
    }
    case Kind::kBytes:
    case Kind::kFixed:
      return WriteBytes(value, type, path);
    case Kind::kString:
      if (!value.is_string()) return Refuse(path, type, value);
      AppendLong(std::ssize(value.get_ref<const std::string&>()), out_);
      *out_ += value.get_ref<const std::string&>();
      return Status::OK();
    case Kind::kEnum: {
      const auto symbol = value.is_string()
                              ? std::ranges::find(type.symbols, value.get<std::string>())
                              : type.symbols.end();
      if (symbol == type.symbols.end()) return Refuse(path, type, value, "one of its symbols");
      AppendLong(symbol - type.symbols.begin(), out_);
      return Status::OK();
    }
    case Kind::kArray:
    case Kind::kMap:
      return WriteItems(value, type, path, depth + 1);
    case Kind::kRecord:
      return WriteRecord(value, type, path, depth + 1);
    case Kind::kUnion:
      return WriteUnion(value, type, path, depth + 1);
  }
  return Status::Invalid("a type that does not exist");
}

}  // namespace

Result<std::string> EncodeShown(const nlohmann::json& value, const Schema& schema) {
  std::string out;
  ARROW_RETURN_NOT_OK(Writer(&out).Write(value, schema.root(), "", 0));
  return out;
}

}  // namespace shopstream::avro
