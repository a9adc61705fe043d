#pragma once

#include <string>
#include <vector>

#include "avro/resolution_rule.h"
#include "avro/schema.h"

namespace shopstream::avro {

class ResolvedTree;  // resolution.h

struct Incompatibility {
  ResolutionRule rule = ResolutionRule::kTypeMismatch;
  std::string path;         // JSON pointer into the reader schema: "/fields/3/type".
  std::string message;      // The mismatch, naming both sides.
  std::string remedy;       // What to change in the reader schema.
  std::string info;         // The same in the short form of Avro's Java library.
  bool only_nulls = false;  // Values that are not null can still be read.
};

// Whether data written with `writer` can be read as `reader` (Avro 1.12, "Schema Resolution"), for
// every Avro type; empty if it can, and then Decoder reads it. A reader without null is reported
// for a nullable writer although single values may fit; so is a logical type that would change the
// meaning of values. Each pair of records is checked once, so recursive schemas terminate; time is
// bounded by the product of the schemas' sizes, and at most 100 are reported.
std::vector<Incompatibility> CheckReadable(const Schema& reader, const Schema& writer);
// The same, with a tree that the caller walks too.
std::vector<Incompatibility> CheckReadable(const Schema& reader, const Schema& writer,
                                           ResolvedTree* tree);

// The same by the rules of registries, with the verdict of SchemaCompatibility in Avro's Java
// library: any branch of a reader's union is accepted, and a field whose aliases match several
// fields of the writer is refused.
std::vector<Incompatibility> CheckCompatible(const Schema& reader, const Schema& writer);

}  // namespace shopstream::avro
