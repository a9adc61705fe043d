#pragma once

#include <arrow/record_batch.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "refine/dates.h"
#include "refine/gold_merge.h"
#include "refine/gold_sources.h"
#include "refine/seen_index.h"
#include "sql/engine.h"
#include "tables/refine_state.h"

namespace shopstream::refine {

// Counts values that a Gold table has not counted yet. The index of seen values holds what the
// table's last pass counted: (key, value) for each distinct column. One pass of one table.
class DistinctCounts {
 public:
  // `gold`: what the table holds before the pass. Borrowed; `merge` and `seen` outlive it.
  DistinctCounts(const GoldMerge& merge, const GoldSources& sources,
                 const tables::RefineStanding& gold, SeenIndex* seen);

  // `part`, by GoldMerge::Aggregate, with the number of new values in place of each list. Dates
  // that the index does not have are read from Silver first.
  Result<std::shared_ptr<arrow::RecordBatch>> Count(
      const std::shared_ptr<arrow::RecordBatch>& part);

  // The table now holds the pass that `gold` describes: what was counted is seen.
  Status Committed(const tables::RefineStanding& gold);

 private:
  using Hashes = std::map<Date, std::vector<Hash128>>;
  struct Column {
    std::string name;
    std::string set;  // Of the index.
    Hashes counted = {};
  };

  SeenStamp StampOf(const tables::RefineStanding& gold) const;
  Result<std::shared_ptr<arrow::Array>> CountColumn(const arrow::RecordBatch& part, Column* column);
  Status Rebuild(Date date, const std::string& column, const SeenIndex::Take& take) const;

  const GoldMerge& merge_;
  const GoldSources sources_;
  const tables::RefineStanding before_;
  SeenIndex* const seen_;
  std::vector<Column> columns_;
};

}  // namespace shopstream::refine
