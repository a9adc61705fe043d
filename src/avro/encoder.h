#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "avro/schema.h"
#include "base/status.h"

namespace shopstream::avro {

// Rows one after the other in one buffer: row i is bytes [offsets[i], offsets[i+1]).
struct EncodedRows {
  std::vector<uint8_t> bytes;
  std::vector<int64_t> offsets;
  std::span<const uint8_t> Row(int64_t i) const;
};

// Compiled once per pair of Arrow schema and Avro schema; columns are matched by name.
class Encoder {
 public:
  static Result<Encoder> Compile(const arrow::Schema& columns, const Schema& writer);
  // Each row is preceded by `prefix` (the wire frame). Reuses out's memory.
  Status Encode(const arrow::RecordBatch& rows, std::span<const uint8_t> prefix,
                EncodedRows* out) const;
};

}  // namespace shopstream::avro
