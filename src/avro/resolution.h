#pragma once

#include "avro/node.h"

namespace shopstream::avro {

// The parts of "Schema Resolution" (Avro 1.12) that compile a decoder.

// Whether a value of the writer's primitive can be read as the reader's: same or promoted.
bool ReadsAs(Kind writer, Kind reader);

// Whether types of one kind match in resolution: unnamed, or with matching names; the reader's
// aliases count, namespaces do not.
bool NamedAlike(const Node& writer, const Node& reader);

// The branch of the reader's union for a value of the writer's type, which is not a union: the one
// with its full name, otherwise of its kind, otherwise the first that it can be promoted to; null
// if there is none. Avro's Java library does the same; the specification's "first that matches"
// would turn an int into the long of ["long", "int"].
const Node* BranchFor(const Node& writer, const Node& reader_union);

}  // namespace shopstream::avro
