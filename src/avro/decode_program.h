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
  kNullable,  // Null, or what they do.
  kUnion,     // table: of branches, which say where in them the value's ops are.
  kArray,     // They do one item. number: bytes it may take in columns; table: 1, it has no bytes.
  kMap,       // The same of a value; the key is read by kMap itself.
  kDefault,   // They read constants[table] instead of the record.
  // Alone.
  kNotNull,      // The branch of a union with null; the reader has no null. The value's op follows.
  kRefuseNull,   // In a union: the reader has no null.
  kMarkValid,    // After each value of a column that may be null.
  kNull,         // With all that the column holds.
  kNullMembers,  // What the column holds, and not itself.
  // What only the writer has.
  kSkipInt,  // Also an enum.
  kSkipLong,
  kSkipBoolean,
  kSkipFixed,  // number: bytes.
  kSkipText,
  kSkipNullable,  // As kNullable, kUnion and kArray.
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

// A decimal that is read: at most 10^precision - 1, without its sign.
struct DecimalType {
  int32_t precision = 0;
  int32_t scale = 0;
};

// The ops of one branch, counted from the first op behind its union's.
struct UnionBranch {
  int32_t begin = 0;
  int32_t end = 0;
};

// In the place of an op, stands for the item it was at.
constexpr char kItemMark = '\x01';

// How a writer's record becomes a row: the writer's fields in their order, then the defaults of
// those that only the reader has.
struct DecodeProgram {
  std::vector<DecodeOp> ops;
  std::vector<std::string> places;  // Of each op: "lines<kItemMark>.price".
  std::vector<std::vector<std::string>> texts;
  std::vector<std::vector<UnionBranch>> branches;
  std::vector<DecimalType> decimals;
  std::vector<std::string> constants;  // In Avro's encoding.
  // The most that a value without text in the record puts into a column outside lists.
  int64_t longest_text = 0;
  uint64_t shape = 0;  // Of the columns; layout.h.

  // As Decoder::Compile.
  static Result<DecodeProgram> Compile(const Schema& writer, const Schema& reader);
};

}  // namespace shopstream::avro
