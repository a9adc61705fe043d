#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/status.h"
#include "sql/row_source.h"

namespace shopstream::sql {

// Rows in memory, exchanged between statements, so that a statement is prepared once and runs over
// one batch after another. Set must not be called while a statement runs.
class MemoryRows : public RowSource {
 public:
  // `expected_rows`: what the planner is told, as it may plan before there are rows. Empty until
  // Set.
  MemoryRows(std::shared_ptr<arrow::Schema> schema, int64_t expected_rows);

  // The rows of the next statements: all of the batch, or those at `positions`, in this order.
  // Invalid: the columns are not those of the schema.
  Status Set(std::shared_ptr<arrow::RecordBatch> rows,
             std::optional<std::vector<int32_t>> positions = {});

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  std::optional<int64_t> row_count() const override { return expected_rows_; }
  int MaxThreads() const override;
  Result<std::unique_ptr<RowScan>> Open(const std::vector<int>& columns, int threads) override;

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  const int64_t expected_rows_;
  std::shared_ptr<arrow::RecordBatch> rows_;  // Never null.
  std::shared_ptr<arrow::Array> positions_;   // int32; null: all rows.
};

}  // namespace shopstream::sql
