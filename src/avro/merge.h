#pragma once

#include "avro/schema.h"
#include "base/status.h"

namespace shopstream::avro {

// The schema that reads all that `reader` reads, and in full what `writer` wrote; `reader` itself,
// text and all, where that is it already. Any order of the same writers gives the same fields:
//
// - A field, enum symbol or branch of a union of several types that only the writer has is added
//   at the end, in nested records too. A renamed field is a new one: aliases of the writer's fields
//   do not count, those of the reader's do.
// - A field that one of the two lacks reads as null there, whatever default it has: otherwise the
//   value of a row would depend on which schemas had been met before it.
// - int and long become long, float and double become double; a type and its union with null
//   become the union.
//
// Invalid names every place and rule that forbids it: CheckReadable's, and logical types that give
// the same bytes another meaning.
Result<Schema> MergeSchemas(const Schema& reader, const Schema& writer);

}  // namespace shopstream::avro
