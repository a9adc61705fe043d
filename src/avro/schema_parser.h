#pragma once

#include <deque>
#include <memory>
#include <string_view>

#include "avro/node.h"
#include "avro/schema.h"
#include "base/status.h"

namespace shopstream::avro {

// All nodes of one schema; a deque keeps their addresses stable.
struct NodeTree {
  std::deque<Node> nodes;
  const Node* root = nullptr;
};

// Does the work of Schema::Parse; separate, so that schema.h needs no JSON.
Result<std::shared_ptr<const NodeTree>> ParseSchema(std::string_view json,
                                                    const ParseOptions& options = {});

}  // namespace shopstream::avro
