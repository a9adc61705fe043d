#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "avro/schema.h"
#include "base/status.h"

namespace shopstream::avro {

enum class DecodeCode : uint8_t {
  // One value into a column; the writer's type, and the reader's where it is promoted.
  kInt,
  kLong,
  kIntAsFloat,  // Rounded as a float before it becomes a double, as the specification has it.
  kLongAsFloat,
  kIntAsDouble,
  kLongAsDouble,
  kIntAsMillis,  // timestamp-millis, into microseconds.
  kLongAsMillis,
  kFloat,
  kDouble,
  kBoolean,
  kString,  // UTF-8 is checked.
  kBytes,
  // Unions with null.
  kNullable,   // Then the value's op and kMarkValid.
  kNotNull,    // The reader has no null; then the value's op.
  kMarkValid,  // After each value of a nullable column.
  // Fields that only the reader has.
  kConstant,
  kNull,
  // Fields that only the writer has.
  kSkipInt,  // Also an enum.
  kSkipLong,
  kSkipBoolean,
  kSkipFixed,
  kSkipText,
  kSkipNullable,  // Then the value's op.
};

struct DecodeOp {
  DecodeCode code = DecodeCode::kNull;
  uint8_t null_branch = 0;
  int32_t column = 0;
  int64_t number = 0;  // Constant: the value's 8 bytes. Skipped fixed: bytes.
  std::string text;    // Constant of text.
};

// How a writer's record becomes a row: the writer's fields in their order, then the defaults of
// those that only the reader has.
struct DecodeProgram {
  std::vector<DecodeOp> ops;
  int64_t longest_text = 0;  // Of the constants.
  uint64_t shape = 0;        // Of the columns; layout.h.

  // As Decoder::Compile.
  static Result<DecodeProgram> Compile(const Schema& writer, const Schema& reader);
};

}  // namespace shopstream::avro
