#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "avro/column_types.h"
#include "avro/decode_code.h"
#include "avro/schema.h"
#include "base/status.h"

namespace shopstream::avro {

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

// The range of one branch's ops, relative to the op after the union's.
struct UnionBranch {
  int32_t begin = 0;
  int32_t end = 0;
};

// How a writer's record becomes a row: the writer's fields in their order, then the defaults of
// fields that only the reader has.
struct DecodeProgram {
  std::vector<DecodeOp> ops;
  std::vector<std::string> places;  // For each op: "lines<kItemMark>.price".
  std::vector<std::vector<std::string>> texts;
  std::vector<std::vector<UnionBranch>> branches;
  std::vector<DecimalType> decimals;
  std::vector<std::string> constants;  // In Avro's encoding.
  // Upper bound of the text that one value outside lists adds to its column when the text is not
  // copied from the record (enums, defaults, uuids and so on). In bytes.
  int64_t longest_text = 0;
  uint64_t shape = 0;  // Identifies the columns; see layout.h.

  // See Decoder::Compile.
  static Result<DecodeProgram> Compile(const Schema& writer, const Schema& reader,
                                       const ColumnOptions& options = {});
};

}  // namespace shopstream::avro
