#pragma once

#include "avro/node.h"

namespace shopstream::avro {

// The parts of "Schema Resolution" (Avro 1.12) that compile a decoder.

// Whether a value of the writer's primitive is read as the reader's: the same, or promoted.
bool ReadsAs(Kind writer, Kind reader);

// Whether types of one kind are the same for resolution: not named, or named alike; an alias of the
// reader counts, namespaces do not.
bool NamedAlike(const Node& writer, const Node& reader);

// The branch of the reader's union that takes a value of the writer's type, which is no union: the
// one of its full name, else of its kind, else the first that it is promoted to; null where there
// is none. Avro's Java library chooses so; the specification's "first that matches" would turn an
// int into the long of ["long", "int"].
const Node* BranchFor(const Node& writer, const Node& reader_union);

}  // namespace shopstream::avro
