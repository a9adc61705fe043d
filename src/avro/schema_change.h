#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "avro/compatibility.h"
#include "avro/schema.h"

namespace shopstream::avro {

// The effect on readers and writers when one schema follows another.
struct SchemaChange {
  std::vector<std::string> changes;            // In words, per field: "order.total: added, ...".
  std::vector<Incompatibility> to_new_reader;  // Why new readers cannot read old data.
  std::vector<Incompatibility> to_old_reader;  // Why old readers cannot read new data.
};
SchemaChange CompareSchemas(const Schema& old_schema, const Schema& new_schema);

// Which side to upgrade first, in one sentence.
std::string UpgradeOrder(const SchemaChange& change);

nlohmann::ordered_json ToJson(const SchemaChange& change);

}  // namespace shopstream::avro
