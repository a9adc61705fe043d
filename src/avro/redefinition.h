#pragma once

#include <nlohmann/json_fwd.hpp>

#include "avro/node.h"

namespace shopstream::avro {

// A record, enum or fixed, and the JSON that defines it.
struct Definition {
  const Node* node = nullptr;
  const nlohmann::json* source = nullptr;
};

// Whether a name may be defined by both: Avro's Java library accepts a repeated definition that is
// equal except in its documentation and aliases.
bool IsSameDefinition(const Definition& one, const Definition& other);

}  // namespace shopstream::avro
