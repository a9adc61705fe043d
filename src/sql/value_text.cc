#include "sql/value_text.h"

#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "base/format.h"
#include "base/json.h"
#include "model/calendar.h"

namespace shopstream::sql {
namespace {

using arrow::internal::checked_cast;

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kSecondsPerDay = 86'400;

// The same rules make text and JSON of nested values; only the leaves and signs differ.
enum class Form { kText, kJson };

std::string Value(const arrow::Array& values, int64_t row, Form form);

std::string InQuotes(const std::string& text, Form form) {
  if (form == Form::kJson) return DumpJson(nlohmann::json(text));
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + "'";
}

// Inside a list or an object, a text is quoted in either form.
std::string Member(const arrow::Array& values, int64_t row, Form form) {
  if (values.IsNull(row)) return form == Form::kJson ? "null" : "NULL";
  const std::string text = Value(values, row, form);
  const bool is_text = values.type_id() == arrow::Type::STRING;
  return is_text && form == Form::kText ? InQuotes(text, form) : text;
}

std::string StructText(const arrow::StructArray& values, int64_t row, Form form) {
  std::string text = "{";
  for (int i = 0; i < values.num_fields(); ++i) {
    if (i > 0) text += ", ";
    text += InQuotes(values.struct_type()->field(i)->name(), form) + ": " +
            Member(*values.field(i), row, form);
  }
  return text + "}";
}

std::string MapText(const arrow::MapArray& values, int64_t row, Form form) {
  const bool is_object =
      form == Form::kText || values.map_type()->key_type()->id() == arrow::Type::STRING;
  std::string text;
  for (int64_t i = values.value_offset(row); i < values.value_offset(row + 1); ++i) {
    if (!text.empty()) text += ", ";
    const std::string key = Member(*values.keys(), i, form);
    const std::string value = Member(*values.items(), i, form);
    text += is_object ? key + ": " + value : R"({"key": )" + key + R"(, "value": )" + value + "}";
  }
  return is_object ? "{" + text + "}" : "[" + text + "]";
}

std::string ListText(const arrow::Array& items, int64_t begin, int64_t end, Form form) {
  std::string text;
  for (int64_t i = begin; i < end; ++i) {
    text += (i > begin ? ", " : "") + Member(items, i, form);
  }
  return "[" + text + "]";
}

template <typename ArrayType>
std::string Integer(const arrow::Array& values, int64_t row) {
  return std::to_string(checked_cast<const ArrayType&>(values).Value(row));
}

template <typename ArrayType>
std::string Floating(const arrow::Array& values, int64_t row, Form form) {
  const auto value = checked_cast<const ArrayType&>(values).Value(row);
  if (std::isfinite(value)) return fmt::format("{}", value);
  const std::string name = std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  return form == Form::kJson ? "\"" + name + "\"" : name;
}

// "2025-10-24T08:15:30Z", with as many digits of the second as are needed, in threes.
std::string TimestampText(const arrow::TimestampArray& values, int64_t row) {
  const auto& type = checked_cast<const arrow::TimestampType&>(*values.type());
  const int64_t value = values.Value(row);
  int64_t per_second = kMicrosPerSecond;
  if (type.unit() == arrow::TimeUnit::SECOND) per_second = 1;
  if (type.unit() == arrow::TimeUnit::MILLI) per_second = 1000;
  if (type.unit() == arrow::TimeUnit::NANO) per_second = kMicrosPerSecond * 1000;
  const int64_t seconds = FloorDiv(value, per_second);
  const int64_t days = FloorDiv(seconds, kSecondsPerDay);
  const int64_t of_day = seconds - days * kSecondsPerDay;
  std::string text = fmt::format("{}T{:02}:{:02}:{:02}", FormatDate(static_cast<int32_t>(days)),
                                 of_day / 3600, of_day / 60 % 60, of_day % 60);
  const int64_t nanos = (value - seconds * per_second) * (kMicrosPerSecond * 1000 / per_second);
  if (nanos % 1'000'000 == 0 && nanos > 0) {
    text += fmt::format(".{:03}", nanos / 1'000'000);
  } else if (nanos % 1000 == 0 && nanos > 0) {
    text += fmt::format(".{:06}", nanos / 1000);
  } else if (nanos > 0) {
    text += fmt::format(".{:09}", nanos);
  }
  return type.timezone().empty() ? text : text + "Z";
}

// Without an exponent, which Arrow gives a zero.
std::string DecimalText(const arrow::Decimal128Array& values, int64_t row) {
  const int scale = checked_cast<const arrow::Decimal128Type&>(*values.type()).scale();
  std::string digits = arrow::Decimal128(values.GetValue(row)).ToIntegerString();
  const std::string sign = digits.starts_with('-') ? "-" : "";
  digits.erase(0, sign.size());
  if (scale <= 0) return sign + digits;
  const auto decimals = static_cast<size_t>(scale);
  if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
  return sign + digits.insert(digits.size() - decimals, ".");
}

// Types that only expressions of SQL have: times, intervals, enumerations.
std::string OtherText(const arrow::Array& values, int64_t row) {
  const auto scalar = values.GetScalar(row);
  if (!scalar.ok()) return scalar.status().message();
  if (values.type_id() != arrow::Type::DICTIONARY) return (*scalar)->ToString();
  const auto value = checked_cast<const arrow::DictionaryScalar&>(**scalar).GetEncodedValue();
  return value.ok() ? (*value)->ToString() : value.status().message();
}

std::string Value(const arrow::Array& values, int64_t row, Form form) {
  const auto text_of = [&](const std::string& text) {
    return form == Form::kJson ? DumpJson(nlohmann::json(text)) : text;
  };
  switch (values.type_id()) {
    case arrow::Type::BOOL:
      return checked_cast<const arrow::BooleanArray&>(values).Value(row) ? "true" : "false";
    case arrow::Type::INT8:
      return Integer<arrow::Int8Array>(values, row);
    case arrow::Type::UINT8:
      return Integer<arrow::UInt8Array>(values, row);
    case arrow::Type::INT16:
      return Integer<arrow::Int16Array>(values, row);
    case arrow::Type::UINT16:
      return Integer<arrow::UInt16Array>(values, row);
    case arrow::Type::INT32:
      return Integer<arrow::Int32Array>(values, row);
    case arrow::Type::UINT32:
      return Integer<arrow::UInt32Array>(values, row);
    case arrow::Type::INT64:
      return Integer<arrow::Int64Array>(values, row);
    case arrow::Type::UINT64:
      return Integer<arrow::UInt64Array>(values, row);
    case arrow::Type::FLOAT:
      return Floating<arrow::FloatArray>(values, row, form);
    case arrow::Type::DOUBLE:
      return Floating<arrow::DoubleArray>(values, row, form);
    case arrow::Type::DECIMAL128:
      return DecimalText(checked_cast<const arrow::Decimal128Array&>(values), row);
    case arrow::Type::STRING:
      return text_of(checked_cast<const arrow::StringArray&>(values).GetString(row));
    case arrow::Type::BINARY:
      return text_of(FormatHex(checked_cast<const arrow::BinaryArray&>(values).GetView(row)));
    case arrow::Type::FIXED_SIZE_BINARY:
      return text_of(
          FormatHex(checked_cast<const arrow::FixedSizeBinaryArray&>(values).GetView(row)));
    case arrow::Type::DATE32:
      return text_of(FormatDate(checked_cast<const arrow::Date32Array&>(values).Value(row)));
    case arrow::Type::TIMESTAMP:
      return text_of(TimestampText(checked_cast<const arrow::TimestampArray&>(values), row));
    case arrow::Type::STRUCT:
      return StructText(checked_cast<const arrow::StructArray&>(values), row, form);
    case arrow::Type::MAP:
      return MapText(checked_cast<const arrow::MapArray&>(values), row, form);
    case arrow::Type::EXTENSION:  // DuckDB's JSON is text under another name.
      return Value(*checked_cast<const arrow::ExtensionArray&>(values).storage(), row, form);
    case arrow::Type::LIST: {
      const auto& lists = checked_cast<const arrow::ListArray&>(values);
      return ListText(*lists.values(), lists.value_offset(row), lists.value_offset(row + 1), form);
    }
    case arrow::Type::FIXED_SIZE_LIST: {
      const auto& lists = checked_cast<const arrow::FixedSizeListArray&>(values);
      return ListText(*lists.values(), lists.value_offset(row), lists.value_offset(row + 1), form);
    }
    default:
      break;
  }
  return text_of(OtherText(values, row));
}

}  // namespace

bool IsNumber(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || arrow::is_floating(type.id()) ||
         arrow::is_decimal(type.id());
}

std::string ValueText(const arrow::Array& values, int64_t row) {
  return Value(values, row, Form::kText);
}

std::string ValueJson(const arrow::Array& values, int64_t row) {
  return values.IsNull(row) ? "null" : Value(values, row, Form::kJson);
}

}  // namespace shopstream::sql
