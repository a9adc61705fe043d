#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace shopstream::avro {

struct Node;  // node.h; the tree of types.

// A parsed Avro schema (Avro 1.12 specification, "Schema Declaration"). Immutable, cheap to copy;
// many threads may read it.
class Schema {
 public:
  // Bounds on parsing, so that a hostile document costs little: bytes of text, and nesting of
  // types. A Kafka record, in which registries store schemas, holds 1 MiB by default.
  static constexpr size_t kMaxText = size_t{1} << 20;
  static constexpr int kMaxDepth = 64;

  // Invalid names the place in the document (a JSON pointer) and the broken rule.
  static Result<Schema> Parse(std::string_view json);
  const Node& root() const { return *root_; }
  // "Parsing Canonical Form for Schemas": schemas with equal text are equivalent to a reader.
  std::string CanonicalForm() const;
  const std::string& text() const { return text_; }  // As given.

 private:
  std::shared_ptr<const Node> root_;  // Shares ownership of every node of the tree.
  std::string text_;
};

}  // namespace shopstream::avro
