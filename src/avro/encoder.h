#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "avro/schema.h"
#include "base/status.h"

namespace shopstream::avro {

// Consecutive rows in one buffer: row i is bytes [offsets[i], offsets[i+1]).
struct EncodedRows {
  std::vector<uint8_t> bytes;
  std::vector<int64_t> offsets;  // One more than the number of rows.
  std::span<const uint8_t> Row(int64_t i) const {
    return {bytes.data() + offsets[i], bytes.data() + offsets[i + 1]};
  }
};

struct EncodeOp;  // encode_program.h

// Compiled once per pair of Arrow schema and Avro schema; columns and members are matched by name.
// Immutable, cheap to copy; many threads may encode with it.
//
// A column can be written as any Avro type that column_types.h maps to it, and also: int32 -> int,
// long, double; int64 -> long, int; utf8 -> bytes; timestamp[ms] -> timestamp-millis, long. Each
// value is checked if the Avro type has a smaller range. If a column has nulls, its Avro field is a
// union with null. Exactly one member of a union is not null.
class Encoder {
 public:
  // Invalid names a column that the schema lacks, a field that has no column and cannot be null, or
  // types that do not fit. NotImplemented: a type that cannot be written as the field's, or a
  // recursive schema.
  static Result<Encoder> Compile(const arrow::Schema& columns, const Schema& writer);
  // Each row is preceded by `prefix` (the wire frame). Reuses out's memory. Invalid names the
  // column and row of a value that does not fit, or a column that does not have the compiled type;
  // the content of `out` is then undefined.
  Status Encode(const arrow::RecordBatch& rows, std::span<const uint8_t> prefix,
                EncodedRows* out) const;

 private:
  Encoder() = default;

  std::shared_ptr<const std::vector<EncodeOp>> ops_;
  std::shared_ptr<const arrow::Schema> columns_;
};

}  // namespace shopstream::avro
