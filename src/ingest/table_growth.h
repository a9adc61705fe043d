#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "ingest/bronze_layout.h"
#include "lake/table.h"

namespace shopstream::ingest {

// What the table keeps of how its rows came about; see the properties in bronze_layout.h.
struct TableMemory {
  std::optional<avro::Schema> reader_schema;
  // Those of its files too, so that a list that was closed once counts when it is opened.
  std::vector<std::string> partition_values;
};
Result<TableMemory> ReadTableMemory(const lake::Snapshot& snapshot, const LayoutOptions& options);
// The layout of the schema that the table keeps; `otherwise` where it keeps none.
Result<std::shared_ptr<const BronzeLayout>> LayoutOf(
    const TableMemory& memory, const std::shared_ptr<const BronzeLayout>& otherwise);

// How rows of one layout get into a table that others may have grown meanwhile.
struct GrowthPlan {
  // Nothing: the rows do not fit, and `conflict` says why. They are to be decoded again by what the
  // table has become.
  std::optional<lake::TableGrowth> growth;
  std::string conflict;
};

// Merges the rows' schema and partition values into those of this snapshot. A pure function: asked
// again at every attempt to commit. Invalid: the table's columns have been changed in a way that is
// no growth (dropped, renamed, another type), so that nothing may be written.
Result<GrowthPlan> PlanGrowth(const lake::Snapshot& snapshot,
                              const std::shared_ptr<const BronzeLayout>& rows,
                              const std::vector<std::string>& partition_values);

}  // namespace shopstream::ingest
