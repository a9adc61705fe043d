#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "avro/columns.h"
#include "avro/schema.h"
#include "base/status.h"

namespace shopstream::avro {

enum class DecodeResult {
  kRow,             // One row was appended.
  kTruncated,       // The bytes end inside a value.
  kTrailing,        // Bytes are left over after the record.
  kBadLength,       // A negative or impossible length or union branch; a body beyond 2 GiB.
  kBadVarint,       // A varint longer than its type allows.
  kBadBoolean,      // A boolean that is neither 0 nor 1.
  kInvalidUtf8,     // A string is not UTF-8.
  kOutOfRange,      // A timestamp beyond what microseconds can hold (years -290308 to 294247).
  kUnexpectedNull,  // A null, and the reader's column has none.
  // Not the record's fault: a column can take no more text (2 GiB), or no memory. Finish the
  // columns, then decode the same record again.
  kColumnsFull,
};
const char* Describe(DecodeResult result);

// The columns a reader schema becomes in Arrow (and so in Delta): int, long -> int64;
// float, double -> float64; string -> utf8; bytes -> binary; boolean -> bool;
// timestamp-millis -> timestamp[us, UTC]; a nullable union -> the branch, nullable.
// NotImplemented names the field whose type has no column yet.
Result<std::shared_ptr<arrow::Schema>> ToArrowSchema(const Schema& reader);

struct DecodeOp;  // decode_program.h

// Compiled once per pair of writer and reader schema (Avro 1.12, "Schema Resolution"): turns Avro
// binary straight into columns. Immutable after Compile, cheap to copy; many threads may decode
// with it, each into Columns of its own.
class Decoder {
 public:
  // Invalid where the reader cannot read the writer; the message names the path and the rule.
  // NotImplemented where a type is beyond this decoder. A writer's null is allowed for a reader
  // without: only the records that hold one are refused (kUnexpectedNull).
  static Result<Decoder> Compile(const Schema& writer, const Schema& reader);
  // The decoder's columns of `out` are those of ToArrowSchema(reader); others abort. Anything but
  // kRow leaves `out` as it was.
  DecodeResult Decode(std::span<const uint8_t> body, Columns* out) const;

 private:
  class Run;
  Decoder() = default;

  std::shared_ptr<const std::vector<DecodeOp>> ops_;
  uint64_t shape_ = 0;        // Of the columns it writes.
  int64_t longest_text_ = 0;  // Of the defaults of text.
};

}  // namespace shopstream::avro
