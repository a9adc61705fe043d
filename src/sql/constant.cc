#include "sql/constant.h"

#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "lake/parquet/partition_path.h"

namespace shopstream::sql {
namespace {

using arrow::internal::checked_cast;
using nlohmann::json;

// Whether the text has digits where the pattern has '0', and otherwise the same bytes.
bool HasForm(std::string_view text, std::string_view pattern) {
  return std::ranges::equal(text, pattern, [](char c, char form) {
    return form == '0' ? c >= '0' && c <= '9' : c == form;
  });
}

// A time in UTC in the form of a partition value; nothing for any other form, which may still be a
// time for DuckDB.
std::optional<std::string> UtcTime(std::string text) {
  if (HasForm(text, "0000-00-00")) return text + " 00:00:00";
  if (text.ends_with("Z")) text.pop_back();
  if (text.ends_with("+00")) text.erase(text.size() - 3);
  if (text.size() > 10 && text[10] == 'T') text[10] = ' ';
  constexpr std::string_view kForm = "0000-00-00 00:00:00.000000";
  constexpr size_t kSeconds = 19, kFirstDigit = 21;
  const bool has_form = text.size() <= kForm.size() &&
                        HasForm(text, kForm.substr(0, text.size())) &&
                        (text.size() == kSeconds || text.size() >= kFirstDigit);
  return has_form ? std::optional(text) : std::nullopt;
}

ConstantBounds Exactly(const std::string& text, const std::shared_ptr<arrow::DataType>& type) {
  const auto value = lake::ParsePartitionValue(text, type);
  if (!value.ok() || !(*value)->is_valid) return {};
  return {*value, *value};
}

// A text, or a cast of one, whose type is `cast` then.
ConstantBounds TextBounds(const std::string& text, const std::string& cast,
                          const std::shared_ptr<arrow::DataType>& type) {
  const bool is_date = cast.empty() || cast == "DATE";
  switch (type->id()) {
    case arrow::Type::STRING:
      return cast.empty() ? Exactly(text, type) : ConstantBounds();
    case arrow::Type::DATE32:
      return is_date && HasForm(text, "0000-00-00") ? Exactly(text, type) : ConstantBounds();
    case arrow::Type::TIMESTAMP: {
      if (cast == "DATE" && !HasForm(text, "0000-00-00")) return {};
      const auto time = UtcTime(text);
      return time ? Exactly(*time, type) : ConstantBounds();
    }
    default:
      return {};
  }
}

ConstantBounds DoubleBounds(double value) {
  // DuckDB may convert the constant by other roundings.
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (!std::isfinite(value)) return {};
  return {std::make_shared<arrow::DoubleScalar>(std::nextafter(value, -kInfinity)),
          std::make_shared<arrow::DoubleScalar>(std::nextafter(value, kInfinity))};
}

// `scale`: the number's digits after the point.
ConstantBounds NumberBounds(int64_t number, int scale,
                            const std::shared_ptr<arrow::DataType>& type) {
  if (arrow::is_signed_integer(type->id())) {
    return scale == 0 ? Exactly(std::to_string(number), type) : ConstantBounds();
  }
  if (type->id() == arrow::Type::DOUBLE) {
    return DoubleBounds(static_cast<double>(number) / std::pow(10.0, scale));
  }
  if (type->id() != arrow::Type::DECIMAL128) return {};
  const auto& decimal = checked_cast<const arrow::Decimal128Type&>(*type);
  const auto value = arrow::Decimal128(number).Rescale(scale, decimal.scale());
  if (!value.ok() || !value->FitsInPrecision(decimal.precision())) return {};
  const auto scalar = std::make_shared<arrow::Decimal128Scalar>(*value, type);
  return {scalar, scalar};
}

}  // namespace

ConstantBounds BoundsOf(const json& expression, const std::shared_ptr<arrow::DataType>& type) {
  const json* constant = &expression;
  std::string cast;
  if (expression.value("class", "") == "CAST") {
    if (expression.value("try_cast", true)) return {};
    cast = expression.at("cast_type").value("id", "");
    if (cast != "DATE" && cast != "TIMESTAMP" && cast != "TIMESTAMP WITH TIME ZONE") return {};
    constant = &expression.at("child");
  }
  if (constant->value("class", "") != "CONSTANT") return {};
  const json& value = constant->at("value");
  if (value.value("is_null", true) || !value.contains("value")) return {};
  const json& held = value["value"];
  const std::string id = value.at("type").value("id", "");
  if (id == "VARCHAR" && held.is_string()) return TextBounds(held, cast, type);
  if (!cast.empty()) return {};
  if (id == "DOUBLE" && held.is_number() && type->id() == arrow::Type::DOUBLE) {
    return DoubleBounds(held);
  }
  if (!held.is_number_integer()) return {};
  if (id == "INTEGER" || id == "BIGINT") return NumberBounds(held, 0, type);
  if (id != "DECIMAL") return {};
  return NumberBounds(held, value["type"].at("type_info").at("scale"), type);
}

}  // namespace shopstream::sql
