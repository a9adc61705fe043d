#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace shopstream::avro {

struct Node;  // node.h; the tree of types.

struct ParseOptions {
  // Whether a default that is not a value of its type is an error. Avro's Java library lets its
  // caller choose; registries accept such schemas unless they normalize.
  bool validate_defaults = true;
  // {"type": {...}} for the inner type. Avro's Java library refuses it,
  // but earlier releases of ShopStream registered it.
  bool accept_wrapped_types = false;
};

// A parsed Avro schema (Avro 1.12 specification, "Schema Declaration", as Avro's Java library reads
// it: with names in any script, comments, types used before their definition, and equal definitions
// repeated). Immutable, cheap to copy; many threads may read it.
class Schema {
 public:
  // Bounds on parsing, so that a hostile document costs little: bytes of text, and nesting of
  // types. A Kafka record, in which registries store schemas, holds 1 MiB by default.
  static constexpr size_t kMaxText = size_t{1} << 20;
  static constexpr int kMaxDepth = 500;

  // Invalid names the place in the document (a JSON pointer) and the broken rule.
  static Result<Schema> Parse(std::string_view json, const ParseOptions& options = {});
  // A schema that a registry or a table has stored, whatever release or library wrote it.
  static Result<Schema> ParseKept(std::string_view json);
  const Node& root() const { return *root_; }
  // "Parsing Canonical Form for Schemas": schemas with equal text are equivalent to a reader.
  std::string CanonicalForm() const;
  const std::string& text() const { return text_; }  // As given.

 private:
  std::shared_ptr<const Node> root_;  // Shares ownership of every node of the tree.
  std::string text_;
};

}  // namespace shopstream::avro
