#pragma once

#include <cstdint>

namespace shopstream::avro {

// The outcome of decoding one record.
enum class DecodeResult {
  kRow,          // One row was appended.
  kTruncated,    // The bytes end inside a value.
  kTrailing,     // Bytes are left over after the record.
  kBadLength,    // A negative or impossible length or union branch; a body over 2 GiB.
  kBadVarint,    // A varint longer than its type allows.
  kBadBoolean,   // A boolean that is neither 0 nor 1.
  kInvalidUtf8,  // A string is not UTF-8.
  // A date or timestamp outside the years 0001 to 9999 (UTC), which table readers refuse.
  kOutOfRange,
  kUnexpectedNull,  // A null, but the reader's schema has none.
  kBadSymbol,       // An enum index without a symbol.
  kBadDecimal,      // More digits than the schema's precision.
  kDoesNotFit,      // A decimal with more digits, or larger, than its column takes.
  kTooManyItems,    // Lists and maps exceed Decoder's bounds.
  kDuplicateKey,    // A key that occurs twice in a map.
  // Not the record's fault: a column has no room for more text (2 GiB), or memory ran out. Finish
  // the columns, then decode the same record again.
  kColumnsFull,
};
const char* Describe(DecodeResult result);

}  // namespace shopstream::avro
