#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/status.h"

namespace shopstream::sql {

// One pass over the rows of a source, shared by threads.
class RowScan {
 public:
  virtual ~RowScan() = default;
  // The next rows for the thread of this number; null: there are no more for it. Each thread calls
  // it with its own number.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Next(int thread) = 0;
};

// Rows that SQL sees as a table. Thread-safe, because one statement may scan it several times.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  // For the planner. Nothing: not known.
  virtual std::optional<int64_t> row_count() const = 0;
  // The most threads that can share a scan.
  virtual int MaxThreads() const { return 1; }
  // `columns`: indexes into the schema, in the order of the batches' columns; none: the batches
  // have only a number of rows.
  virtual Result<std::unique_ptr<RowScan>> Open(const std::vector<int>& columns, int threads) = 0;
};

}  // namespace shopstream::sql
