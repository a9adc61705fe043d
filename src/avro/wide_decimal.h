#pragma once

#include <cstdint>
#include <span>

#include "avro/decode_program.h"
#include "avro/decode_result.h"

namespace shopstream::avro {

// Store a decimal's bytes as value `row` of a column. kBadDecimal: more digits than its type has;
// kDoesNotFit: it has no more, but the column of a type of more than 38 digits cannot hold it.
DecodeResult StoreDecimal(std::span<const uint8_t> bytes, const DecimalType& type, int64_t row,
                          uint8_t* values);
DecodeResult StoreNearestDouble(std::span<const uint8_t> bytes, const DecimalType& type,
                                int64_t row, uint8_t* values);

}  // namespace shopstream::avro
