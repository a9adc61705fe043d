#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace shopstream::registry {

// The text by which two schemas are one: as Avro's Java library prints a parsed schema, which is
// what Confluent's registry stores and compares. No white space, attributes in a fixed order, names
// and namespaces split, references to named types by the shortest name, plain types bare; kept is
// all else: docs, defaults, aliases, logical types. (Avro's "Parsing Canonical Form" would drop
// these, and so give one id to schemas that read differently.)
//
// `schema` must be a valid Avro schema: Invalid only where it is not JSON.
Result<std::string> CanonicalText(std::string_view schema);

// The text by which schemas that differ in form only are one, as Confluent's registry makes it for
// `normalize`: full names everywhere, attributes and aliases sorted. Doc, defaults, aliases and
// logical types are kept. Errors as above.
Result<std::string> NormalizedText(std::string_view schema);

}  // namespace shopstream::registry
