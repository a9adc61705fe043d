#include "avro/wide_decimal.h"

#include <algorithm>

#include "avro/column_types.h"
#include "avro/layout.h"
#include "avro/logical_text.h"

namespace shopstream::avro {

DecodeResult StoreDecimal(std::span<const uint8_t> bytes, const DecimalType& type, int64_t row,
                          uint8_t* values) {
  const auto number = ReadDecimal(bytes, std::min(type.precision, kMaxDecimal128Digits));
  if (!number) {
    const bool valid = type.precision > kMaxDecimal128Digits &&
                       FormatDecimal(bytes, type.precision, type.scale).has_value();
    return valid ? DecodeResult::kDoesNotFit : DecodeResult::kBadDecimal;
  }
  StoreAt(values, row, *number);
  return DecodeResult::kRow;
}

DecodeResult StoreNearestDouble(std::span<const uint8_t> bytes, const DecimalType& type,
                                int64_t row, uint8_t* values) {
  const auto text = FormatDecimal(bytes, type.precision, type.scale);
  if (!text) return DecodeResult::kBadDecimal;
  const auto nearest = NearestDouble(*text);
  if (!nearest) return DecodeResult::kDoesNotFit;
  StoreAt(values, row, *nearest);
  return DecodeResult::kRow;
}

}  // namespace shopstream::avro
