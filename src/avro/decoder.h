#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "avro/column_types.h"
#include "avro/columns.h"
#include "avro/decode_result.h"
#include "avro/schema.h"
#include "base/status.h"

namespace shopstream::avro {

struct DecodeProgram;  // decode_program.h

// Compiled once per pair of writer and reader schema (Avro 1.12, "Schema Resolution"): decodes Avro
// binary directly into columns. Immutable after Compile, cheap to copy; many threads may decode
// with it, each into its own Columns.
class Decoder {
 public:
  // Bound on the memory that the items of one record's arrays and maps take in columns; a hostile
  // record can claim far more items than it has bytes. Items without bytes (nulls) are limited by
  // number.
  static constexpr int64_t kMaxItemBytes = int64_t{64} << 20;
  static constexpr int64_t kMaxEmptyItems = int64_t{1} << 16;

  // Invalid: the reader cannot read the writer; names the path and the rule.
  // NotImplemented: as for ToArrowSchema, or the writer has a recursive type. A nullable writer is
  // allowed for a reader without null: only records with a null are refused (kUnexpectedNull).
  static Result<Decoder> Compile(const Schema& writer, const Schema& reader,
                                 const ColumnOptions& options = {});
  // The decoder's columns of `out` must match ToArrowSchema(reader, options), or it aborts. Any
  // result other than kRow leaves `out` unchanged and sets `place`, if given, to the value of the
  // record that failed: "items[3].price", "" for the whole record.
  DecodeResult Decode(std::span<const uint8_t> body, Columns* out,
                      std::string* place = nullptr) const;

 private:
  class Run;
  Decoder() = default;
  // Invalid: a default does not fit its column.
  Status CheckDefaults(const Schema& reader, const ColumnOptions& options) const;

  std::shared_ptr<const DecodeProgram> program_;
};

}  // namespace shopstream::avro
