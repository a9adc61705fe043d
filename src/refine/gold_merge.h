#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/status.h"
#include "refine/columns.h"
#include "refine/gold_file.h"
#include "sql/engine.h"

namespace shopstream::refine {

// Rows in memory: all of a batch, or those at `positions`, in this order.
struct SelectedRows {
  std::shared_ptr<arrow::RecordBatch> rows;
  std::optional<std::vector<int32_t>> positions = {};
};

// A Gold file's statements over rows in memory, prepared once. One thread.
class GoldMerge {
 public:
  // Invalid: the file does not keep to its declarations, or its SQL does not fit the columns of
  // Silver and rejects; the message has file and line.
  static Result<std::unique_ptr<GoldMerge>> Open(const GoldFile& file, const RefineColumns& columns,
                                                 const sql::EngineOptions& options);
  ~GoldMerge();

  const GoldFile& file() const;
  const RefineColumns& columns() const;
  // The columns of the table, date last.
  const std::shared_ptr<arrow::Schema>& schema() const;
  // Those that are not derived, in the order of the aggregate part.
  const std::shared_ptr<arrow::Schema>& stored() const;
  // The keys and the values of distinct columns, for each row of the aggregate part.
  const sql::SqlText& values() const;

  // What the rows give, one row per key. Each distinct column is a list of the values. The batches
  // have at least the columns of Silver and rejects.
  Result<std::shared_ptr<arrow::RecordBatch>> Aggregate(const SelectedRows& silver,
                                                        const SelectedRows& rejects);
  // The rows of the table for some dates: `old`, all that it has for these dates, together with
  // `part`, by Aggregate but with each distinct column the number of values that are new. Sorted by
  // key.
  Result<std::shared_ptr<arrow::RecordBatch>> Merge(
      const std::shared_ptr<arrow::RecordBatch>& old,
      const std::shared_ptr<arrow::RecordBatch>& part);

 private:
  struct Prepared;
  explicit GoldMerge(std::unique_ptr<Prepared> prepared);

  std::unique_ptr<Prepared> prepared_;
};

}  // namespace shopstream::refine
