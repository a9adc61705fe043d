#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "avro/schema.h"
#include "base/status.h"

namespace shopstream::avro {

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

constexpr int64_t kVariableSize = -1;

struct DecodeOp {
  DecodeCode code = DecodeCode::kNull;
  uint8_t null_branch = 0;
  int32_t column = 0;
  int32_t length = 0;
  int32_t table = 0;
  int64_t number = 0;
};

// A decimal to read: at most 10^precision - 1, ignoring its sign.
struct DecimalType {
  int32_t precision = 0;
  int32_t scale = 0;
};

// The ops of one branch, counted from the first op after its union's.
struct UnionBranch {
  int32_t begin = 0;
  int32_t end = 0;
};

// Takes the place of an op; represents the item it was at.
constexpr char kItemMark = '\x01';

// How a writer's record becomes a row: the writer's fields in their order, then the defaults of
// fields that only the reader has.
struct DecodeProgram {
  std::vector<DecodeOp> ops;
  std::vector<std::string> places;  // For each op: "lines<kItemMark>.price".
  std::vector<std::vector<std::string>> texts;
  std::vector<std::vector<UnionBranch>> branches;
  std::vector<DecimalType> decimals;
  std::vector<std::string> constants;  // In Avro's encoding.
  // The most that a value without text in the record adds to a column outside lists.
  int64_t longest_text = 0;
  uint64_t shape = 0;  // Identifies the columns; see layout.h.

  // As Decoder::Compile.
  static Result<DecodeProgram> Compile(const Schema& writer, const Schema& reader);
};

}  // namespace shopstream::avro
