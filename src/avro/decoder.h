#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "avro/column_types.h"
#include "avro/columns.h"
#include "avro/schema.h"
#include "base/status.h"

namespace shopstream::avro {

enum class DecodeResult {
  kRow,          // One row was appended.
  kTruncated,    // The bytes end inside a value.
  kTrailing,     // Bytes are left over after the record.
  kBadLength,    // A negative or impossible length or union branch; a body beyond 2 GiB.
  kBadVarint,    // A varint longer than its type allows.
  kBadBoolean,   // A boolean that is neither 0 nor 1.
  kInvalidUtf8,  // A string is not UTF-8.
  // A date or timestamp outside the years 0001 to 9999 (UTC), which readers of tables refuse.
  kOutOfRange,
  kUnexpectedNull,  // A null, and the reader's schema has none.
  kBadSymbol,       // An enum's number that is none of its symbols.
  kBadDecimal,      // More digits than the schema's precision.
  kTooManyItems,    // Lists and maps that need more than Decoder's bounds.
  kDuplicateKey,    // A key that stands twice in a map.
  // Not the record's fault: a column can take no more text (2 GiB), or no memory. Finish the
  // columns, then decode the same record again.
  kColumnsFull,
};
const char* Describe(DecodeResult result);

struct DecodeProgram;  // decode_program.h

// Compiled once per pair of writer and reader schema (Avro 1.12, "Schema Resolution"): turns Avro
// binary straight into columns. Immutable after Compile, cheap to copy; many threads may decode
// with it, each into Columns of its own.
class Decoder {
 public:
  // What the items of one record's arrays and maps may take in columns, in bytes; a hostile record
  // could ask for much more than it has bytes. Items without any bytes (nulls) are counted.
  static constexpr int64_t kMaxItemBytes = int64_t{64} << 20;
  static constexpr int64_t kMaxEmptyItems = int64_t{1} << 16;

  // Invalid where the reader cannot read the writer; the message names the path and the rule.
  // NotImplemented where ToArrowSchema is, or where the writer has a recursive type. A writer's
  // null is allowed for a reader without: only the records that hold one are refused
  // (kUnexpectedNull).
  static Result<Decoder> Compile(const Schema& writer, const Schema& reader);
  // The decoder's columns of `out` are those of ToArrowSchema(reader); others abort. Anything but
  // kRow leaves `out` as it was, and says in `place`, where one is given, at which value of the
  // record it failed: "items[3].price", "" for the whole.
  DecodeResult Decode(std::span<const uint8_t> body, Columns* out,
                      std::string* place = nullptr) const;

 private:
  class Run;
  Decoder() = default;
  // Invalid: a default that no column can hold.
  Status CheckDefaults(const Schema& reader) const;

  std::shared_ptr<const DecodeProgram> program_;
};

}  // namespace shopstream::avro
