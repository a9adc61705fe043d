#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "ingest/bronze_layout.h"
#include "lake/delta/table.h"

namespace shopstream::ingest {

// The schema from which the table's columns were derived; nothing: another program created it.
Result<std::optional<avro::Schema>> ReadReaderSchema(const lake::Snapshot& snapshot);

// The properties that the table stores about its rows; see bronze_layout.h.
struct TableMemory {
  std::optional<avro::Schema> reader_schema;
  // Includes those of its files, so that values of a once fixed list count when any are allowed.
  std::vector<PartitionTuple> partition_values;  // As in a Cut.
};
Result<TableMemory> ReadTableMemory(const lake::Snapshot& snapshot, const LayoutOptions& options);
// The layout of the schema that the table stores; `otherwise` if it stores none.
Result<std::shared_ptr<const BronzeLayout>> LayoutOf(
    const TableMemory& memory, const std::shared_ptr<const BronzeLayout>& otherwise);

// How to add rows of one layout to a table that others may have grown in the meantime.
struct GrowthPlan {
  // Nothing: the rows do not fit, and `conflict` says why. They must be decoded again for the
  // current table.
  std::optional<lake::TableGrowth> growth;
  std::string conflict;
};

// Merges the rows' schema and partition values into those of this snapshot. Pure; called again at
// every attempt to commit. Invalid: the table's columns have changed in a way that is not growth
// (dropped, renamed, another type), so that nothing may be written.
Result<GrowthPlan> PlanGrowth(const lake::Snapshot& snapshot,
                              const std::shared_ptr<const BronzeLayout>& rows,
                              const std::vector<PartitionTuple>& partition_values);

}  // namespace shopstream::ingest
