#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace shopstream::registry {

// All rewrite a valid Avro schema; Invalid only if it is not JSON, or nests deeper than
// avro::Schema::kMaxDepth once each definition is where its name is used first. `other_types` are
// the full names of types that the schema uses and another schema defines. Comments are dropped.
// Numbers and text are kept as they are written.

// The form in which Avro's Java library prints a parsed schema, which Confluent's registry stores
// and compares. No white space, attributes in a fixed order, names and namespaces split, references
// by the shortest name, plain types bare, definitions at their first use; docs, defaults, aliases,
// logical types and attributes unknown to Avro are kept. (Avro's "Parsing Canonical Form" drops
// these, and would give one id to schemas that read differently.)
Result<std::string> CanonicalText(std::string_view schema,
                                  const std::vector<std::string>& other_types = {});

// The text that is equal for schemas that differ only in form, as Confluent's registry produces it
// for `normalize`: full names everywhere, attributes sorted at every level, aliases full and
// sorted.
Result<std::string> NormalizedText(std::string_view schema,
                                   const std::vector<std::string>& other_types = {});

// The text that is equal for schemas that mean the same: the normalized one with fractions by their
// value. Earlier releases stored 0.10 as 0.1, and Java reads both alike.
Result<std::string> IdentityText(std::string_view schema,
                                 const std::vector<std::string>& other_types = {});

}  // namespace shopstream::registry
