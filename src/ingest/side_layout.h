#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "avro/schema.h"
#include "base/status.h"
#include "ingest/bronze_layout.h"
#include "ingest/table_growth.h"
#include "lake/delta/table.h"
#include "tables/table_layout.h"

// The rows of a topic's further record types. Each type, identified by its full name, has a side
// table beside Bronze with the same kinds of columns.
namespace shopstream::ingest {

// Whether records of this writer belong in Bronze: its record has Bronze's full name or one of the
// aliases of Bronze's. Also true of what is no record, which no table can hold.
bool IsBronzesType(const avro::Schema& bronze, const avro::Schema& writer);

// The options for the side table `path`, whose schema is, or will be, `schema`. Fields that a type
// lacks are left out: it is partitioned by the others, and its event time is Kafka's timestamp.
// `stored`: the layout that the table has; its partition columns stay, and it keeps Kafka's
// timestamp if it was created with it.
LayoutOptions SideOptions(const LayoutOptions& bronze, const std::string& path,
                          const avro::Schema& schema,
                          const std::optional<tables::TableLayout>& stored);

// The layout for records of a type that has no side table yet. Invalid: it cannot be a table.
Result<std::shared_ptr<const BronzeLayout>> NewSideLayout(const LayoutOptions& bronze,
                                                          const avro::Schema& writer);
// The layout of a side table at this version. Invalid: it stores no reader schema, or a damaged
// one.
Result<std::shared_ptr<const BronzeLayout>> StoredSideLayout(const LayoutOptions& bronze,
                                                             const std::string& path,
                                                             const lake::Snapshot& side);

// Whether the options of both give a record the same partition and date.
bool SamePlaces(const LayoutOptions& one, const LayoutOptions& other);

// As PlanGrowth, for a side table. It also conflicts if the table was created, by another version
// of the type, with other partition columns or another event time.
Result<GrowthPlan> PlanSideGrowth(const LayoutOptions& bronze, const lake::Snapshot& side,
                                  const std::shared_ptr<const BronzeLayout>& rows,
                                  const std::vector<PartitionTuple>& partition_values);

}  // namespace shopstream::ingest
