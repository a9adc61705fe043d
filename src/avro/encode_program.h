#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "avro/schema.h"
#include "base/status.h"

namespace shopstream::avro {

// How a value is written.
enum class EncodeCode : uint8_t {
  kNull,  // Writes no bytes, or only a union's branch of null.
  kInt32,
  kInt32AsDouble,
  kInt64,
  kInt64AsInt,
  kDouble,
  kText,
  kBoolean,
  // The fastest first.
  kFloat,
  kMicrosAsMillis,
  kMicrosAsNanos,
  kDecimal,
  kDecimalText,
  kFixed,
  kUuid,
  kDuration,
  kEnum,
  kRecord,
  kUnion,
  kArray,
  kMap,
};

// One type of the Avro schema, and the column it is written from.
struct EncodeOp {
  EncodeCode code = EncodeCode::kNull;
  int column = -1;           // In the rows, or in the enclosing column; -1: none, always null.
  int32_t branch = -1;       // Branch of the enclosing union; -1: none.
  int32_t null_branch = -1;  // -1: a null cannot be written.
  int64_t size = -1;         // Fixed, and decimals in it: bytes.
  int32_t precision = 0;
  int32_t scale = 0;
  std::string name;  // "column lines[].price (double)".
  std::map<std::string, int64_t, std::less<>> symbols;
  std::vector<EncodeOp> inner;  // The fields of a record, the values of a union, the items.
};

// The ops of a record's fields. Errors are those of Encoder::Compile.
Result<std::vector<EncodeOp>> CompileEncodeOps(const arrow::Schema& columns, const Schema& writer);

}  // namespace shopstream::avro
