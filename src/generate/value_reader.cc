#include "generate/value_reader.h"

#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/array/util.h>
#include <arrow/compute/cast.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "base/number.h"
#include "base/timestamp.h"
#include "model/calendar.h"

namespace shopstream::generate {
namespace {

constexpr const char* kRemedy =
    "; to leave out such rows, list the text in 'nulls' and set 'missing: skip', or use 'where'";

const std::shared_ptr<arrow::DataType>& UtcMillis() {
  static const auto type = arrow::timestamp(arrow::TimeUnit::MILLI, "UTC");
  return type;
}

const char* ParseInto(std::string_view text, char point, int32_t* value) {
  std::optional<int64_t> wide = ParseWhole<int64_t>(text);
  if (!wide) {
    const auto decimal = ParseDecimal(text, point);
    if (!decimal) return "is not a whole number ('hash: true' makes one from a text)";
    wide = ToInteger(*decimal);
    if (!wide) return "is not a whole number";
  }
  if (*wide < std::numeric_limits<int32_t>::min() || *wide > std::numeric_limits<int32_t>::max()) {
    return "does not fit a whole number of 32 bits";
  }
  *value = static_cast<int32_t>(*wide);
  return nullptr;
}

const char* ParseInto(std::string_view text, char point, double* value) {
  const auto number = point == '.' ? ParseWhole<double>(text) : std::nullopt;
  if (number && std::isfinite(*number)) {
    *value = *number;
    return nullptr;
  }
  const auto decimal = ParseDecimal(text, point);
  if (!decimal) return "is not a number";
  *value = ToDouble(*decimal);
  return nullptr;
}

Status NoValue(SourceRows* rows, int64_t row, const ColumnRef& ref, const arrow::Field& field,
               const std::string& why) {
  ARROW_ASSIGN_OR_RAISE(const std::string value, rows->ValueFor(row, ref));
  return Status::Invalid(value, " ", why, " (event field ", field.name(), ")", kRemedy);
}

bool IsKept(const RowMask& keep, int64_t row) { return keep[static_cast<size_t>(row)]; }

Status CheckFinite(const arrow::Array& numbers, SourceRows* rows, const ColumnRef& ref,
                   const arrow::Field& field, const RowMask& keep) {
  if (numbers.type_id() != arrow::Type::DOUBLE) return Status::OK();
  const auto& values = static_cast<const arrow::DoubleArray&>(numbers);
  for (int64_t row = 0; row < values.length(); ++row) {
    if (values.IsNull(row) || !IsKept(keep, row) || std::isfinite(values.Value(row))) continue;
    return NoValue(rows, row, ref, field, "is not a finite number");
  }
  return Status::OK();
}

template <typename T, typename Builder>
Result<ArrayPtr> ParseNumbers(SourceRows* rows, const ColumnRef& ref, const arrow::Field& field,
                              const RowMask& keep) {
  ARROW_ASSIGN_OR_RAISE(const TextPtr texts, rows->Text(ref));
  const char point = rows->DecimalPoint(ref);
  Builder builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(texts->length()));
  for (int64_t row = 0; row < texts->length(); ++row) {
    const auto text = ValueAt(*texts, row);
    T value{};
    if (!text || !IsKept(keep, row)) {
      builder.UnsafeAppendNull();
      continue;
    }
    if (const char* why = ParseInto(*text, point, &value)) {
      return NoValue(rows, row, ref, field, why);
    }
    builder.UnsafeAppend(value);
  }
  return builder.Finish();
}

// The clock of the rule's zone -> UTC.
int64_t ToUtcMillis(const TimeZone& zone, int64_t clock_millis) {
  int64_t seconds = clock_millis / 1000, millis = clock_millis % 1000;
  if (millis < 0) --seconds, millis += 1000;
  return zone.ToUtc(seconds) * 1000 + millis;
}

std::optional<int64_t> ParseEpoch(std::string_view text, const Epoch& epoch) {
  auto number = ParseDecimal(text);
  if (!number) return std::nullopt;
  for (; number->scale > 9; --number->scale) number->digits /= 10;
  Decimal::Digits unit = epoch.per_second;
  for (int i = 0; i < number->scale; ++i) unit *= 10;
  const Decimal::Digits scaled = number->digits * 1000;
  const Decimal::Digits millis = scaled / unit - (scaled % unit < 0);
  if (millis < kYear1Millis || millis > kLastMillis) return std::nullopt;
  return static_cast<int64_t>(millis);
}

std::optional<int64_t> ParseTime(std::string_view text, const TimeRule& rule) {
  if (rule.epoch) return ParseEpoch(text, *rule.epoch);
  std::optional<IsoTime> time;
  if (rule.pattern) {
    time = rule.pattern->Parse(text);
  } else if (const auto iso = ParseIsoTime(text); iso.ok()) {
    time = *iso;
  }
  if (!time) return std::nullopt;
  return time->offset_millis ? time->clock_millis - *time->offset_millis
                             : ToUtcMillis(rule.zone, time->clock_millis);
}

std::string WhyNoTime(const TimeRule& rule) {
  if (rule.epoch) return std::string("is not a number of ") + rule.epoch->name + " since 1970";
  if (rule.pattern) return "does not match the format '" + rule.pattern->text() + "'";
  return "is not a time in ISO 8601, such as 2025-10-24T08:15:30Z; other forms need 'format' or "
         "'epoch'";
}

Result<ArrayPtr> ParseTimes(SourceRows* rows, const ColumnRef& ref, const TimeRule& rule,
                            const arrow::Field& field, const RowMask& keep) {
  ARROW_ASSIGN_OR_RAISE(const TextPtr texts, rows->Text(ref));
  arrow::TimestampBuilder builder(UtcMillis(), arrow::default_memory_pool());
  ARROW_RETURN_NOT_OK(builder.Reserve(texts->length()));
  for (int64_t row = 0; row < texts->length(); ++row) {
    const auto text = IsKept(keep, row) ? ValueAt(*texts, row) : std::nullopt;
    const auto millis = text ? ParseTime(*text, rule) : std::nullopt;
    if (text && !millis) return NoValue(rows, row, ref, field, WhyNoTime(rule));
    millis ? builder.UnsafeAppend(*millis) : builder.UnsafeAppendNull();
  }
  return builder.Finish();
}

// A timestamp or a date.
Result<ArrayPtr> ConvertTimes(const ArrayPtr& column, const TimeZone& zone) {
  const bool is_timestamp = column->type_id() == arrow::Type::TIMESTAMP;
  const std::string own_zone =
      is_timestamp ? static_cast<const arrow::TimestampType&>(*column->type()).timezone() : "";
  auto options =
      arrow::compute::CastOptions::Safe(arrow::timestamp(arrow::TimeUnit::MILLI, own_zone));
  options.allow_time_truncate = true;  // Digits finer than milliseconds are dropped.
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum cast, arrow::compute::Cast(column, options));
  // An instant has the same number with and without a zone: only the type's name changes.
  const auto data = cast.array()->Copy();
  data->type = UtcMillis();
  const auto clocks = std::make_shared<arrow::TimestampArray>(data);
  if (!own_zone.empty()) return clocks;
  arrow::TimestampBuilder builder(UtcMillis(), arrow::default_memory_pool());
  ARROW_RETURN_NOT_OK(builder.Reserve(clocks->length()));
  for (int64_t row = 0; row < clocks->length(); ++row) {
    clocks->IsNull(row) ? builder.UnsafeAppendNull()
                        : builder.UnsafeAppend(ToUtcMillis(zone, clocks->Value(row)));
  }
  return builder.Finish();
}

constexpr const char* kTooManyDigits = "makes an amount of too many digits";

// The product of the texts in one row; none of them may be missing.
Result<Decimal> ProductOf(SourceRows* rows, const std::vector<ColumnRef>& factors,
                          const std::vector<TextPtr>& texts, int64_t row,
                          const arrow::Field& field) {
  std::optional<Decimal> product = Decimal{1, 0};
  for (size_t i = 0; i < factors.size(); ++i) {
    const auto factor = ParseDecimal(texts[i]->GetView(row), rows->DecimalPoint(factors[i]));
    if (!factor) return NoValue(rows, row, factors[i], field, "is not a number");
    product = Multiply(*product, *factor);
    if (!product) return NoValue(rows, row, factors[i], field, kTooManyDigits);
  }
  return *product;
}

// Digits after the point of an amount in the currency.
int MinorDigits(std::string_view currency) { return currency == "JPY" ? 0 : 2; }

// The factor for a row. Null: `by` has none.
const Decimal* FactorOf(const Rate& rate, const arrow::StringArray* by, int64_t row) {
  if (rate.factor) return &*rate.factor;
  const auto found = rate.factors.find(ValueAt(*by, row).value_or(""));
  return found == rate.factors.end() ? nullptr : &found->second;
}

}  // namespace

Result<ArrayPtr> ReadNumbers(SourceRows* rows, const ColumnRef& ref, const arrow::Field& field,
                             const RowMask& keep) {
  ARROW_ASSIGN_OR_RAISE(const ArrayPtr column, rows->Column(ref));
  const bool is_whole = field.type()->id() == arrow::Type::INT32;
  if (column->type_id() != arrow::Type::STRING) {
    auto cast = arrow::compute::Cast(*column, field.type());
    if (cast.ok()) {
      ARROW_RETURN_NOT_OK(CheckFinite(**cast, rows, ref, field, keep));
      return cast;
    }
  }
  // Also to name the value that could not be converted.
  return is_whole ? ParseNumbers<int32_t, arrow::Int32Builder>(rows, ref, field, keep)
                  : ParseNumbers<double, arrow::DoubleBuilder>(rows, ref, field, keep);
}

Result<ArrayPtr> ReadTimes(SourceRows* rows, const ColumnRef& ref, const TimeRule& rule,
                           const arrow::Field& field, const RowMask& keep) {
  ARROW_ASSIGN_OR_RAISE(const ArrayPtr column, rows->Column(ref));
  switch (column->type_id()) {
    case arrow::Type::STRING:
      return ParseTimes(rows, ref, rule, field, keep);
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
    case arrow::Type::TIMESTAMP:
      return ConvertTimes(column, rule.zone);
    default:
      if (rule.epoch || rule.pattern) return ParseTimes(rows, ref, rule, field, keep);
      return Status::Invalid(rows->NameOf(ref), " is of type ", column->type()->ToString(),
                             ": for a number, set 'epoch' to s, ms, us or ns (event field ",
                             field.name(), ")");
  }
}

Result<ArrayPtr> ReadAmounts(SourceRows* rows, const std::vector<ColumnRef>& factors,
                             const Rate* rate, const arrow::StringArray* by,
                             const arrow::StringArray* currency, const arrow::Field& field,
                             const RowMask& keep) {
  std::vector<TextPtr> texts;
  for (const ColumnRef& ref : factors) {
    ARROW_ASSIGN_OR_RAISE(texts.emplace_back(), rows->Text(ref));
  }
  arrow::DoubleBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(rows->size()));
  for (int64_t row = 0; row < rows->size(); ++row) {
    const bool missing = !IsKept(keep, row) || (rate != nullptr && currency->IsNull(row)) ||
                         std::any_of(texts.begin(), texts.end(),
                                     [&](const TextPtr& text) { return !ValueAt(*text, row); });
    if (missing) {
      builder.UnsafeAppendNull();
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(std::optional<Decimal> amount,
                          ProductOf(rows, factors, texts, row, field));
    if (rate != nullptr) {
      const Decimal* factor = FactorOf(*rate, by, row);
      if (factor == nullptr) {
        return Status::Invalid(rows->At(row), ": the rate has no factor for '",
                               ValueAt(*by, row).value_or(""), "' (event field ", field.name(),
                               ")");
      }
      amount = Multiply(*amount, *factor);
    }
    if (!amount) return NoValue(rows, row, factors[0], field, kTooManyDigits);
    const int places = rate == nullptr ? 2 : MinorDigits(currency->GetView(row));
    builder.UnsafeAppend(ToDouble(Round(*amount, places)));
  }
  return builder.Finish();
}

Result<ArrayPtr> HashTexts(const arrow::StringArray& texts) {
  arrow::Int32Builder builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(texts.length()));
  for (int64_t row = 0; row < texts.length(); ++row) {
    const auto text = ValueAt(texts, row);
    if (!text) {
      builder.UnsafeAppendNull();
      continue;
    }
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1(reinterpret_cast<const unsigned char*>(text->data()), text->size(), digest);
    const uint32_t number = uint32_t{digest[0]} << 24 | uint32_t{digest[1]} << 16 |
                            uint32_t{digest[2]} << 8 | digest[3];
    builder.UnsafeAppend(static_cast<int32_t>(number & 0x7FFF'FFFF));
  }
  return builder.Finish();
}

}  // namespace shopstream::generate
