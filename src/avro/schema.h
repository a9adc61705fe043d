#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace shopstream::avro {

struct Node;  // schema.cc; the tree of types.

// A parsed Avro schema (Avro 1.12 specification, "Schema Declaration"). Immutable, cheap to copy.
class Schema {
 public:
  // Invalid names the place in the document and the rule broken.
  static Result<Schema> Parse(std::string_view json);
  const Node& root() const { return *root_; }
  // "Parsing Canonical Form for Schemas": equal text, equal schema to a reader.
  std::string CanonicalForm() const;
  const std::string& text() const { return text_; }  // As it was given.

 private:
  std::shared_ptr<const Node> root_;
  std::string text_;
};

}  // namespace shopstream::avro
