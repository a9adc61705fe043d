#include "lake/parquet/statistics_bound.h"

#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/format.h"
#include "base/json.h"
#include "base/text_encoding.h"
#include "base/timestamp.h"
#include "model/calendar.h"

namespace shopstream::lake {
namespace {

using arrow::Decimal128;
using arrow::internal::checked_cast;

constexpr size_t kTextBoundChars = 32;
constexpr uint32_t kLastCodePoint = 0x10FFFF;
constexpr int kDoubleDigits = 15;
// What delta-rs writes for whole decimals beyond them.
constexpr char kLargestInt64[] = "9223372036854775807";
constexpr char kSmallestInt64[] = "-9223372036854775808";
// 0001-01-01 and 9999-12-31, in days since 1970.
constexpr int64_t kFirstDay = -719162;
constexpr int64_t kLastDay = 2932896;

// The end of the first `chars` code points of valid UTF-8; npos: there are no more than these.
size_t EndOfChars(std::string_view text, size_t chars) {
  for (size_t i = 0; i < text.size(); ++i) {
    const bool starts_char = (static_cast<uint8_t>(text[i]) & 0xC0) != 0x80;
    if (starts_char && chars-- == 0) return i;
  }
  return std::string_view::npos;
}

uint32_t DecodeCodePoint(std::string_view bytes) {
  const auto lead = static_cast<uint8_t>(bytes[0]);
  if (bytes.size() == 1) return lead;
  uint32_t code = lead & (0xFFu >> (bytes.size() + 1));
  for (const char c : bytes.substr(1)) code = code << 6 | (static_cast<uint8_t>(c) & 0x3F);
  return code;
}

std::optional<std::string> QuotedJson(const std::optional<std::string>& text) {
  return text ? std::optional(lake::QuotedJson(*text)) : std::nullopt;
}

// JSON has no numbers for infinities; readers recognise these names. Some readers order -0 below 0,
// others do not.
std::optional<std::string> FloatingBound(double value, bool is_max) {
  if (std::isnan(value)) return std::nullopt;
  if (value == 0) return is_max ? "0.0" : "-0.0";
  if (std::isinf(value)) return value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  return nlohmann::json(value).dump();
}

// Above every text that begins with this one: no UTF-8 has the byte 0xFF.
std::string AboveAll(std::string_view beginning) { return std::string(beginning) + '\xFF'; }

// Writers cut a long maximum and raise or lengthen it, each in its own way; its first characters
// are those of the greatest value, or greater. Delta for Spark once counted 32 UTF-16 units, which
// may end within a character, and added U+FFFD: then only half as many characters are certain.
std::shared_ptr<arrow::Scalar> TextBoundFrom(std::string text, bool is_max) {
  const size_t kept = text.ends_with("\uFFFD") ? kTextBoundChars / 2 : kTextBoundChars;
  if (!is_max || EndOfChars(text, kept - 1) == std::string::npos) {
    return std::make_shared<arrow::StringScalar>(std::move(text));
  }
  const size_t end = EndOfChars(text, kept);
  return std::make_shared<arrow::StringScalar>(AboveAll(std::string_view(text).substr(0, end)));
}

// Without an offset, an instant is not known.
std::shared_ptr<arrow::Scalar> TimeBoundFrom(const std::string& text,
                                             const std::shared_ptr<arrow::DataType>& type,
                                             bool is_max) {
  const auto& timestamp = checked_cast<const arrow::TimestampType&>(*type);
  const auto time = ParseIsoTime(text);
  if (!time.ok() || timestamp.unit() != arrow::TimeUnit::MICRO) return nullptr;
  const bool is_instant = !timestamp.timezone().empty();
  if (is_instant != time->offset_millis.has_value() && time->offset_millis.value_or(1) != 0) {
    return nullptr;
  }
  const int64_t micros = (time->clock_millis - time->offset_millis.value_or(0)) * kMicrosPerMilli;
  return std::make_shared<arrow::TimestampScalar>(micros + (is_max ? kMicrosPerMilli - 1 : 0),
                                                  type);
}

std::shared_ptr<arrow::Scalar> DecimalBoundFrom(const std::string& text,
                                                const std::shared_ptr<arrow::DataType>& type,
                                                bool is_max) {
  const auto& decimal = checked_cast<const arrow::Decimal128Type&>(*type);
  Decimal128 value;
  int32_t precision = 0;
  int32_t scale = 0;
  if (!Decimal128::FromString(text, &value, &precision, &scale).ok()) return nullptr;
  const auto rescaled = value.Rescale(scale, decimal.scale());
  if (!rescaled.ok() || !rescaled->FitsInPrecision(decimal.precision())) return nullptr;
  value = *rescaled;
  if (text == (is_max ? kLargestInt64 : kSmallestInt64)) return nullptr;
  if (decimal.precision() > kDoubleDigits) {
    Decimal128 margin = value / Decimal128::GetScaleMultiplier(kDoubleDigits);
    margin = Decimal128(margin.Abs()) + Decimal128(1);
    value = is_max ? value + margin : value - margin;
  }
  return std::make_shared<arrow::Decimal128Scalar>(value, type);
}

// The digits without sign and decimal point.
std::string Digits(const Decimal128& value) {
  std::string text = value.ToIntegerString();
  return text[0] == '-' ? text.substr(1) : text;
}

}  // namespace

bool HasBounds(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::STRING:
      return true;
    case arrow::Type::DICTIONARY:
      return HasBounds(*checked_cast<const arrow::DictionaryType&>(type).value_type());
    default:
      return false;
  }
}

std::optional<std::string> BoundJson(const arrow::Scalar& value, bool is_max) {
  switch (value.type->id()) {
    case arrow::Type::BOOL:
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
      return value.ToString();
    case arrow::Type::FLOAT:
      return FloatingBound(checked_cast<const arrow::FloatScalar&>(value).value, is_max);
    case arrow::Type::DOUBLE:
      return FloatingBound(checked_cast<const arrow::DoubleScalar&>(value).value, is_max);
    case arrow::Type::DECIMAL128: {
      const auto& type = checked_cast<const arrow::Decimal128Type&>(*value.type);
      return DecimalBound(checked_cast<const arrow::Decimal128Scalar&>(value).value,
                          type.precision(), type.scale(), is_max);
    }
    case arrow::Type::DATE32:
      return QuotedJson(DateBound(checked_cast<const arrow::Date32Scalar&>(value).value));
    case arrow::Type::TIMESTAMP:
      if (checked_cast<const arrow::TimestampType&>(*value.type).unit() != arrow::TimeUnit::MICRO) {
        return std::nullopt;  // Not a type of a table.
      }
      return QuotedJson(
          TimestampBound(checked_cast<const arrow::TimestampScalar&>(value).value, is_max));
    case arrow::Type::STRING: {
      const std::string_view text = checked_cast<const arrow::StringScalar&>(value).view();
      return QuotedJson(is_max ? UpperTextBound(text, kTextBoundChars)
                               : LowerTextBound(text, kTextBoundChars));
    }
    default:
      return std::nullopt;
  }
}

std::shared_ptr<arrow::Scalar> ParseBoundJson(const std::string& json,
                                              const std::shared_ptr<arrow::DataType>& type,
                                              bool is_max) {
  if (!HasBounds(*type)) return nullptr;
  const bool quoted = json.starts_with('"');
  const auto parsed = quoted ? ParseJson(json) : nlohmann::json();
  const std::string text = parsed.is_string() ? parsed.get<std::string>() : json;
  switch (type->id()) {
    case arrow::Type::STRING:
      return quoted ? TextBoundFrom(text, is_max) : nullptr;
    case arrow::Type::TIMESTAMP:
      return TimeBoundFrom(text, type, is_max);
    case arrow::Type::DECIMAL128:
      return DecimalBoundFrom(text, type, is_max);
    default:
      return arrow::Scalar::Parse(type, text).ValueOr(nullptr);
  }
}

std::string QuotedJson(const std::string& text) { return nlohmann::json(text).dump(); }

std::optional<std::string> LowerTextBound(std::string_view text, size_t max_chars) {
  if (!IsUtf8(text)) return std::nullopt;
  return std::string(text.substr(0, EndOfChars(text, max_chars)));
}

std::optional<std::string> UpperTextBound(std::string_view text, size_t max_chars) {
  if (!IsUtf8(text)) return std::nullopt;
  const size_t end = EndOfChars(text, max_chars);
  if (end == std::string_view::npos) return std::string(text);
  std::string_view kept = text.substr(0, end);
  while (!kept.empty()) {
    size_t start = kept.size() - 1;
    while ((static_cast<uint8_t>(kept[start]) & 0xC0) == 0x80) --start;
    const uint32_t code = DecodeCodePoint(kept.substr(start));
    kept = kept.substr(0, start);
    if (code == kLastCodePoint) continue;  // Cannot be raised: raise the one before.
    const uint32_t next = code == 0xD7FF ? 0xE000 : code + 1;  // Surrogates are not characters.
    std::string bound(kept);
    AppendUtf8(next, &bound);
    return bound;
  }
  return std::nullopt;
}

std::optional<std::string> DateBound(int64_t days) {
  // Checked before the calendar, whose years have 16 bits.
  if (days < kFirstDay || days > kLastDay) return std::nullopt;
  return FormatDate(static_cast<int32_t>(days));
}

std::optional<std::string> TimestampBound(int64_t micros, bool round_up) {
  if (micros < kFirstDay * kMicrosPerDay || micros >= (kLastDay + 1) * kMicrosPerDay) {
    return std::nullopt;
  }
  int64_t bound = FloorDiv(micros, kMicrosPerMilli) * kMicrosPerMilli;
  if (round_up && bound < micros) bound += kMicrosPerMilli;
  const bool exact = FloorDiv(bound, kMicrosPerDay) > kLastDay;
  if (exact) bound = micros;
  const int64_t day = FloorDiv(bound, kMicrosPerDay);
  const int64_t in_day = bound - day * kMicrosPerDay;
  const auto seconds = static_cast<int>(in_day / 1'000'000);
  const auto fraction = static_cast<int>(in_day % 1'000'000);
  char time[40];
  std::snprintf(time, sizeof(time), "T%02d:%02d:%02d.%0*dZ", seconds / 3600, seconds / 60 % 60,
                seconds % 60, exact ? 6 : 3,
                exact ? fraction : static_cast<int>(fraction / kMicrosPerMilli));
  return *DateBound(day) + time;
}

std::string DecimalBound(const Decimal128& value, int32_t precision, int32_t scale, bool round_up) {
  Decimal128 bound = value;
  const auto digits = static_cast<int>(Digits(value).size());
  if (digits > kDoubleDigits) {
    const Decimal128 unit = Decimal128::GetScaleMultiplier(digits - kDoubleDigits);
    const Decimal128 rest = value % unit;  // Has the sign of the value.
    bound = value - rest;
    if (rest != 0 && (rest > 0) == round_up) bound = round_up ? bound + unit : bound - unit;
    if (!bound.FitsInPrecision(precision)) bound = value;
  }
  const bool negative = bound < 0;
  std::string text = Digits(bound);
  const auto fraction = static_cast<size_t>(std::max(scale, 0));
  if (text.size() <= fraction) text.insert(0, fraction + 1 - text.size(), '0');
  if (fraction > 0) text.insert(text.size() - fraction, ".");
  return (negative ? "-" : "") + text;
}

}  // namespace shopstream::lake
