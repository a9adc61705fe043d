#pragma once

#include <cstdint>

#include "avro/node.h"

namespace shopstream::avro {

// The operation of one op of a decode program.
enum class DecodeCode : uint8_t {
  // Store one value in a column. Named after the writer's type, and the reader's if promoted.
  kInt,
  kLong,
  kIntAsFloat,  // Rounded to a float before it becomes a double, as specified.
  kLongAsFloat,
  kIntAsDouble,
  kLongAsDouble,
  kIntAsMillis,  // timestamp-millis, converted to microseconds.
  kLongAsMillis,
  kLongAsMicros,  // timestamp-micros; an int is always within its bounds.
  kIntAsNanos,    // timestamp-nanos, converted to microseconds, rounded down.
  kLongAsNanos,
  kFloat,
  kDouble,
  kBoolean,
  kString,  // Checks that it is UTF-8.
  kBytes,
  kDate,
  kFixed,          // number: bytes.
  kEnum,           // table: of texts, indexed by the writer's symbol.
  kUuid,           // 16 bytes, converted to text.
  kDuration,       // 12 bytes, converted to text.
  kDecimal,        // number: bytes, or kVariableSize; table: of decimals.
  kDecimalText,    // The same, converted to text.
  kDecimalDouble,  // The same, converted to the nearest double.
  // The next `length` ops belong to each of these.
  kNullable,  // Null, or the result of these ops.
  kUnion,     // table: of branches, which give the range of each value's ops.
  kArray,     // They decode one item. number: its bytes in columns; table: 1 if it has no bytes.
  kMap,       // The same for a value; kMap itself reads the key.
  kDefault,   // They read constants[table] instead of the record.
  // These have no ops of their own.
  kNotNull,      // For a nullable writer and a reader without null. The value's op follows.
  kRefuseNull,   // In a union: the reader has no null.
  kMarkValid,    // After each value of a nullable column.
  kNull,         // Sets the column and everything it holds to null.
  kNullMembers,  // Sets everything the column holds to null, but not the column.
  // Skip fields that only the writer has.
  kSkipInt,  // Also for an enum.
  kSkipLong,
  kSkipBoolean,
  kSkipFixed,  // number: bytes.
  kSkipText,
  kSkipNullable,  // Like kNullable, kUnion and kArray.
  kSkipUnion,
  kSkipBlocks,
};

// The code that converts a primitive of the writer's kind, except a decimal, to the reader's type,
// which must be compatible.
DecodeCode PrimitiveCode(Kind writer, const Node& reader);

}  // namespace shopstream::avro
