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

class GoldScan;

// Counts values that a Gold table has not counted yet. The index of seen values holds what the
// table's last pass counted: (key, value) for each distinct column. One pass of one table.
class DistinctCounts {
 public:
  // `gold`: what the table holds before the pass. `engine`: for reading dates from Silver.
  // Borrowed; `merge` and `seen` outlive it.
  DistinctCounts(const GoldMerge& merge, const GoldSources& sources,
                 const tables::RefineStanding& gold, const sql::EngineOptions& engine,
                 SeenIndex* seen);
  ~DistinctCounts();

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
  // Whether an earlier pass may have brought rows of this date.
  bool MayHaveRows(Date date) const;
  Status Rebuild(Date date, const std::string& column, const SeenIndex::Take& take);

  const GoldMerge& merge_;
  const GoldSources sources_;
  const tables::RefineStanding before_;
  const sql::EngineOptions engine_;
  SeenIndex* const seen_;
  std::vector<Column> columns_;
  std::unique_ptr<GoldScan> scan_;  // Null: not needed yet.
  std::vector<sql::Query> values_;  // One, of the scan.
};

}  // namespace shopstream::refine
