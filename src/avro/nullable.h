#pragma once

#include <cstdint>

#include "avro/node.h"

namespace shopstream::avro {

// A type as "a value, or null if is_union": a union of null and one other type in either order. Any
// other type, including other unions, is its own value.
struct Nullable {
  const Node* value = nullptr;
  bool is_union = false;
  uint8_t null_branch = 0;

  static Nullable Of(const Node& type) {
    if (type.kind == Kind::kUnion && type.branches.size() == 2) {
      if (type.branches[0]->kind == Kind::kNull) return {type.branches[1], true, 0};
      if (type.branches[1]->kind == Kind::kNull) return {type.branches[0], true, 1};
    }
    return {&type, false, 0};
  }
};

}  // namespace shopstream::avro
