#include "lake/delta/parsed_statistics.h"

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/text_encoding.h"
#include "lake/parquet/partition_path.h"
#include "lake/parquet/statistics_bound.h"

namespace shopstream::lake {
namespace {

using arrow::internal::checked_cast;

// The fewest digits that distinguish the value from others of its type. Spark's statistics write
// NaN, the greatest value to Spark, as a string.
template <typename Float>
std::string FloatingJson(Float value) {
  if (std::isnan(value)) return "\"NaN\"";
  if (std::isinf(value)) return value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  char text[64];
  const auto [end, error] = std::to_chars(text, text + sizeof(text), value);
  std::string number(text, end);
  if (number.find_first_of(".e") == std::string::npos) number += ".0";
  return number;
}

std::optional<std::string> TimestampJson(const arrow::TimestampScalar& value, bool is_max) {
  std::optional<std::string> text;
  switch (checked_cast<const arrow::TimestampType&>(*value.type).unit()) {
    case arrow::TimeUnit::MICRO:
      text = TimestampBound(value.value, is_max);
      break;
    case arrow::TimeUnit::MILLI:
      if (std::abs(value.value) > INT64_MAX / 1000) return std::nullopt;
      text = TimestampBound(value.value * 1000, is_max);
      break;
    default:
      return std::nullopt;
  }
  return text ? std::optional(QuotedJson(*text)) : std::nullopt;
}

std::optional<std::string> ValueJson(const arrow::Scalar& value, bool is_max) {
  switch (value.type->id()) {
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW: {
      const auto text = checked_cast<const arrow::BaseBinaryScalar&>(value).view();
      if (!IsUtf8(text)) return std::nullopt;
      return QuotedJson(std::string(text));
    }
    case arrow::Type::FLOAT:
      return FloatingJson(checked_cast<const arrow::FloatScalar&>(value).value);
    case arrow::Type::DOUBLE:
      return FloatingJson(checked_cast<const arrow::DoubleScalar&>(value).value);
    case arrow::Type::DECIMAL128: {
      const auto& type = checked_cast<const arrow::Decimal128Type&>(*value.type);
      const auto digits = checked_cast<const arrow::Decimal128Scalar&>(value).value;
      // ToString may use scientific notation.
      std::string text = arrow::Decimal128(arrow::Decimal128::Abs(digits)).ToIntegerString();
      const auto fraction = static_cast<size_t>(std::max(type.scale(), 0));
      if (text.size() <= fraction) text.insert(0, fraction + 1 - text.size(), '0');
      if (fraction > 0) text.insert(text.size() - fraction, 1, '.');
      if (digits < 0) text.insert(0, 1, '-');
      return text;
    }
    case arrow::Type::TIMESTAMP:
      return TimestampJson(checked_cast<const arrow::TimestampScalar&>(value), is_max);
    default:  // Booleans, integers and dates; other types have no bounds.
      return BoundJson(value, is_max);
  }
}

// Omits members that are null or empty.
std::string ObjectJson(const arrow::StructArray& object, int64_t i, bool is_max) {
  std::string out = "{";
  for (int field = 0; field < object.num_fields(); ++field) {
    const auto member = object.field(field);
    if (member->IsNull(i)) continue;
    const std::string& name = object.struct_type()->field(field)->name();
    std::optional<std::string> value;
    if (member->type_id() == arrow::Type::STRUCT) {
      value = ObjectJson(checked_cast<const arrow::StructArray&>(*member), i,
                         is_max || name == "maxValues");
      if (*value == "{}") value.reset();
    } else if (const auto scalar = member->GetScalar(i); scalar.ok()) {
      value = ValueJson(**scalar, is_max);
    }
    if (!value) continue;
    if (out.size() > 1) out += ',';
    out += QuotedJson(name) + ":" + *value;
  }
  return out + "}";
}

using nlohmann::json;

json Plain(const json& value) {
  if (value.is_number()) {
    char text[40];
    const auto number = value.get<double>();
    std::snprintf(text, sizeof(text), "%.14g", number == 0 ? 0.0 : number);  // -0 is 0.
    return text;
  }
  if (value.is_string()) {
    static const auto kTimestamp = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    const auto time = ParsePartitionValue(value.get<std::string>(), kTimestamp);
    return time.ok() && (*time)->is_valid ? json((*time)->ToString()) : value;
  }
  if (!value.is_object()) return value;
  json object = json::object();
  for (const auto& [name, member] : value.items()) {
    json plain = Plain(member);
    if (!plain.is_null() && plain != json::object()) object[name] = std::move(plain);
  }
  return object;
}

}  // namespace

std::string PlainStatistics(const std::string& statistics) {
  const json parsed = ParseJson(statistics);
  if (!parsed.is_object()) return statistics;
  return DumpJson(Plain(parsed));
}

std::string StatisticsText(const arrow::StructArray& parsed, int64_t i) {
  if (parsed.IsNull(i)) return "";
  std::string bounds = ObjectJson(parsed, i, /*is_max=*/false);
  return bounds == "{}" ? "" : bounds;
}

}  // namespace shopstream::lake
