#pragma once

#include <deque>
#include <memory>
#include <string_view>

#include "avro/node.h"
#include "base/status.h"

namespace shopstream::avro {

// Every node of one schema; a deque keeps their addresses.
struct NodeTree {
  std::deque<Node> nodes;
  const Node* root = nullptr;
};

// The work of Schema::Parse, apart so that schema.h needs no JSON.
Result<std::shared_ptr<const NodeTree>> ParseSchema(std::string_view json);

}  // namespace shopstream::avro
