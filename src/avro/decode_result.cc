#include "avro/decode_result.h"

namespace shopstream::avro {

const char* Describe(DecodeResult result) {
  switch (result) {
    case DecodeResult::kRow:
      return "decoded";
    case DecodeResult::kTruncated:
      return "the bytes end inside a value";
    case DecodeResult::kTrailing:
      return "bytes are left over after the record";
    case DecodeResult::kBadLength:
      return "a length or union branch is negative or impossible";
    case DecodeResult::kBadVarint:
      return "an integer is longer than its type allows";
    case DecodeResult::kBadBoolean:
      return "a boolean is neither 0 nor 1";
    case DecodeResult::kInvalidUtf8:
      return "a string is not valid UTF-8";
    case DecodeResult::kOutOfRange:
      return "a date or timestamp is outside the years 0001 to 9999";
    case DecodeResult::kUnexpectedNull:
      return "a null is not allowed by the reader's schema";
    case DecodeResult::kBadSymbol:
      return "an enum's index is beyond its symbols";
    case DecodeResult::kBadDecimal:
      return "a decimal has more digits than its precision";
    case DecodeResult::kDoesNotFit:
      return "a decimal does not fit the column that ingest.wide_decimals gives it";
    case DecodeResult::kTooManyItems:
      return "arrays and maps hold more than 64 MiB of values, or 65536 items without bytes";
    case DecodeResult::kDuplicateKey:
      return "a map has a key twice";
    case DecodeResult::kColumnsFull:
      return "the columns have no room for more text, or memory is exhausted";
  }
  return "unknown";
}

}  // namespace shopstream::avro
