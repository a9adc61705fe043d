#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "avro/columns.h"
#include "avro/schema.h"
#include "base/status.h"

namespace shopstream::avro {

enum class DecodeResult {
  kRow,          // One row was appended.
  kTruncated,    // The bytes end inside a value.
  kTrailing,     // Bytes are left over after the record.
  kBadLength,    // A negative or impossible length or union branch.
  kBadVarint,    // A varint longer than its type allows.
  kInvalidUtf8,  // A string is not UTF-8.
};
const char* Describe(DecodeResult result);

// The columns a reader schema becomes in Arrow (and so in Delta): int, long -> int64;
// float, double -> float64; string -> utf8; bytes -> binary; boolean -> bool;
// timestamp-millis -> timestamp[us, UTC]; a nullable union -> the branch, nullable.
Result<std::shared_ptr<arrow::Schema>> ToArrowSchema(const Schema& reader);

// Compiled once per pair of writer and reader schema (Avro 1.12, "Schema Resolution"): turns Avro
// binary straight into columns. Immutable after Compile; many threads may decode with it.
class Decoder {
 public:
  // Invalid where the reader cannot read the writer; the message names the path and the rule.
  static Result<Decoder> Compile(const Schema& writer, const Schema& reader);
  // Columns are those of ToArrowSchema(reader). Anything but kRow leaves `out` as it was.
  DecodeResult Decode(std::span<const uint8_t> body, Columns* out) const;
};

}  // namespace shopstream::avro
