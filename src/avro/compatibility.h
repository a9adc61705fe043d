#pragma once

#include <string>
#include <vector>

#include "avro/schema.h"

namespace shopstream::avro {

// The rules of schema resolution that can be broken; named as Confluent's registry names them.
enum class ResolutionRule {
  kNameMismatch,
  kFixedSizeMismatch,
  kMissingEnumSymbols,
  kReaderFieldMissingDefaultValue,
  kTypeMismatch,
  kMissingUnionBranch,
};
// "NAME_MISMATCH" and so on.
const char* Name(ResolutionRule rule);

struct Incompatibility {
  ResolutionRule rule = ResolutionRule::kTypeMismatch;
  std::string path;         // JSON pointer into the reader schema: "/fields/3/type".
  std::string message;      // What does not fit, naming both sides.
  std::string remedy;       // What to change in the reader schema.
  std::string info;         // The same, as short as Avro's Java library says it.
  bool only_nulls = false;  // Values that are not null can be read all the same.
};

// Whether data written with `writer` can be read as `reader` (Avro 1.12, "Schema Resolution"), for
// every Avro type; empty where it can. A reader without null is reported against a nullable writer
// although single values may fit. Each pair of records is looked at once, so that recursive
// schemas end; time is bounded by the product of the schemas' sizes, and at most 100 are reported.
std::vector<Incompatibility> CheckReadable(const Schema& reader, const Schema& writer);

// The same as registries judge it, with the verdict of SchemaCompatibility in Avro's Java library:
// of a reader's union any branch will do, and a field whose aliases name several of the writer's
// is refused.
std::vector<Incompatibility> CheckCompatible(const Schema& reader, const Schema& writer);

}  // namespace shopstream::avro
