#pragma once

#include "avro/schema.h"
#include "base/status.h"

namespace shopstream::avro {

// The schema that reads everything that `reader` reads, and everything that `writer` wrote, in
// full; `reader` itself, text included, if it already does. The order of writers does not matter:
//
// - A field, enum symbol or branch of a union of several types that only the writer has is added
//   at the end, in nested records too. A renamed field is a new one: aliases of the writer's fields
//   do not count, those of the reader's do.
// - A field that one of the two lacks reads as null there, whatever its default: otherwise the
//   value of a row would depend on the schemas encountered before it.
// - int and long become long, float and double become double; a type and its union with null
//   become the union.
//
// Invalid names every place and rule that forbids the merge: those of CheckReadable, and logical
// types that give the same bytes another meaning.
Result<Schema> MergeSchemas(const Schema& reader, const Schema& writer);

}  // namespace shopstream::avro
