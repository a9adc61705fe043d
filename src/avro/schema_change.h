#pragma once

#include <string>
#include <vector>

#include "avro/compatibility.h"
#include "avro/schema.h"

namespace shopstream::avro {

// What becomes of readers and writers when a schema follows another.
struct SchemaChange {
  std::vector<std::string> changes;            // In words, by field: "order.total: added, ...".
  std::vector<Incompatibility> to_new_reader;  // Why new readers cannot read old data.
  std::vector<Incompatibility> to_old_reader;  // Why old readers cannot read new data.
};
SchemaChange CompareSchemas(const Schema& old_schema, const Schema& new_schema);

// Who is to be upgraded first, in one sentence.
std::string UpgradeOrder(const SchemaChange& change);

}  // namespace shopstream::avro
