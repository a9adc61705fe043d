#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace shopstream::registry {

// Attributes unknown to Avro may hold any JSON; printing nested JSON uses stack.
inline constexpr int kMaxSchemaDepth = 256;

// The text that decides whether two schemas are the same: the form in which Avro's Java library
// prints a parsed schema, which Confluent's registry stores and compares. No white space,
// attributes in a fixed order, names and namespaces split, references by the shortest name, plain
// types bare; docs, defaults, aliases and logical types are kept. (Avro's "Parsing Canonical Form"
// drops these, and would give one id to schemas that read differently.)
//
// `schema` must be a valid Avro schema; Invalid only if it is not JSON.
Result<std::string> CanonicalText(std::string_view schema);

// The text that is equal for schemas that differ only in form, as Confluent's registry produces it
// for `normalize`: full names everywhere, attributes and aliases sorted. Docs, defaults, aliases
// and logical types are kept. Errors as above.
Result<std::string> NormalizedText(std::string_view schema);

}  // namespace shopstream::registry
