#pragma once

#include <cstdint>

#include "avro/node.h"

namespace shopstream::avro {

// What one op of a decode program does.
enum class DecodeCode : uint8_t {
  // Put one value into a column; named after the writer's type, and the reader's if promoted.
  kInt,
  kLong,
  kIntAsFloat,  // Rounded to a float before it becomes a double, as specified.
  kLongAsFloat,
  kIntAsDouble,
  kLongAsDouble,
  kIntAsMillis,  // timestamp-millis, into microseconds.
  kLongAsMillis,
  kLongAsMicros,  // timestamp-micros; an int is always inside its bounds.
  kIntAsNanos,    // timestamp-nanos, into microseconds, rounded down.
  kLongAsNanos,
  kFloat,
  kDouble,
  kBoolean,
  kString,  // UTF-8 is checked.
  kBytes,
  kDate,
  kFixed,        // number: bytes.
  kEnum,         // table: of texts, by the writer's symbol.
  kUuid,         // 16 bytes, into text.
  kDuration,     // 12 bytes, into text.
  kDecimal,      // number: bytes, or kVariableSize; table: of decimals.
  kDecimalText,  // The same, into text.
  // The next `length` ops belong to these.
  kNullable,  // Null, or the result of these ops.
  kUnion,     // table: of branches, which locate the value's ops among them.
  kArray,     // They decode one item. number: its bytes in columns; table: 1: none.
  kMap,       // The same for a value; kMap itself reads the key.
  kDefault,   // They read constants[table] instead of the record.
  // These stand alone.
  kNotNull,      // Branch of a union with null for a reader without. The value's op follows.
  kRefuseNull,   // In a union: the reader has no null.
  kMarkValid,    // After each value of a nullable column.
  kNull,         // With everything that the column holds.
  kNullMembers,  // What the column holds, but not the column.
  // For fields that only the writer has.
  kSkipInt,  // Also for an enum.
  kSkipLong,
  kSkipBoolean,
  kSkipFixed,  // number: bytes.
  kSkipText,
  kSkipNullable,  // Like kNullable, kUnion and kArray.
  kSkipUnion,
  kSkipBlocks,
};

// How a primitive of the writer's kind that is not a decimal becomes the reader's, if it can.
DecodeCode PrimitiveCode(Kind writer, const Node& reader);

}  // namespace shopstream::avro
