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

// Rows one after the other in one buffer: row i is bytes [offsets[i], offsets[i+1]).
struct EncodedRows {
  std::vector<uint8_t> bytes;
  std::vector<int64_t> offsets;  // One more than there are rows.
  std::span<const uint8_t> Row(int64_t i) const {
    return {bytes.data() + offsets[i], bytes.data() + offsets[i + 1]};
  }
};

struct EncodeOp;  // encoder.cc

// Compiled once per pair of Arrow schema and Avro schema; columns and members are matched by name.
// Immutable, cheap to copy; many threads may encode with it.
//
// A column is written as any Avro type that column_types.h makes it of, and also: int32 -> int,
// long, double; int64 -> long, int; utf8 -> bytes; timestamp[ms] -> timestamp-millis, long. Each
// value is checked where the Avro type holds fewer. Where a column holds nulls, its Avro field is a
// union with null. Of a union's members exactly one is not null.
class Encoder {
 public:
  // Invalid: a column that the schema lacks, a field without a column that cannot be null, types
  // that do not fit; the message names it. NotImplemented: a type that cannot be written as the
  // field's, a recursive schema.
  static Result<Encoder> Compile(const arrow::Schema& columns, const Schema& writer);
  // Each row is preceded by `prefix` (the wire frame). Reuses out's memory. Invalid names the
  // column and the row whose value does not fit, or the column that is not of the compiled type;
  // `out` then holds nothing of use.
  Status Encode(const arrow::RecordBatch& rows, std::span<const uint8_t> prefix,
                EncodedRows* out) const;

 private:
  Encoder() = default;

  std::shared_ptr<const std::vector<EncodeOp>> ops_;
  std::shared_ptr<const arrow::Schema> columns_;
};

}  // namespace shopstream::avro
