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
  std::vector<int64_t> offsets;  // One more than there are rows.
  std::span<const uint8_t> Row(int64_t i) const {
    return {bytes.data() + offsets[i], bytes.data() + offsets[i + 1]};
  }
};

// Compiled once per pair of Arrow schema and Avro schema; columns are matched by name. Immutable,
// cheap to copy; many threads may encode with it.
//
// Columns and what they may be written as: int32 -> int, long, double; int64 -> long, int (each
// value checked); float64 -> double; utf8 -> string, bytes; binary -> bytes; bool -> boolean;
// timestamp[ms] -> timestamp-millis, long; any of them nullable, where nulls occur the Avro field
// is a union with null.
class Encoder {
 public:
  // Invalid: a column that the schema lacks, a field without a column that is not nullable, types
  // that do not fit; the message names it. NotImplemented: an Avro type beyond this encoder.
  static Result<Encoder> Compile(const arrow::Schema& columns, const Schema& writer);
  // Each row is preceded by `prefix` (the wire frame). Reuses out's memory. Invalid names the
  // column and row whose value does not fit; `out` then holds nothing of use.
  Status Encode(const arrow::RecordBatch& rows, std::span<const uint8_t> prefix,
                EncodedRows* out) const;

 private:
  class Program;
  enum class Code : uint8_t {
    kNull,
    kInt32,
    kInt64,
    kInt64AsInt,
    kInt32AsDouble,
    kDouble,
    kText,
    kBool
  };
  struct Op {
    Code code = Code::kNull;
    int column = -1;          // None for kNull.
    bool is_union = false;    // A branch number stands before the value.
    uint8_t null_branch = 0;  // Of the union; the value is the other branch.
    std::string field;
  };
  struct Source;  // encoder.cc; an op bound to the arrays of one batch.

  Encoder() = default;
  Result<std::vector<Source>> Bind(const arrow::RecordBatch& rows) const;

  std::vector<Op> ops_;
  std::vector<std::shared_ptr<arrow::DataType>> types_;  // Of the columns, in their order.
};

}  // namespace shopstream::avro
