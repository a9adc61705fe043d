#pragma once

#include <arrow/type_fwd.h>

#include <string>

#include "refine/gold_file.h"
#include "sql/sql_text.h"

// The statements that a Gold file becomes. Pure.
namespace shopstream::refine {

// One row of the table per row, from silver_events and silver_rejects as they are; for people and
// for other engines.
sql::SqlText GoldBatchSql(const GoldFile& file);

// The tables in memory that a merge reads.
inline constexpr char kGoldOld[] = "gold_old";
inline constexpr char kGoldPart[] = "gold_part";

// The view `aggregated` over what the table has and what a pass adds. `columns`: those of the
// aggregate part, with their types.
std::string MergedView(const GoldFile& file, const arrow::Schema& columns);
// The view `aggregated` over silver_events and silver_rejects.
std::string AggregatedView(const GoldFile& file);

// The rows of the table from the view `aggregated`, in the order of `columns`, sorted by date and
// the rest of the key.
sql::SqlText TableSql(const GoldFile& file, const arrow::Schema& columns);

}  // namespace shopstream::refine
