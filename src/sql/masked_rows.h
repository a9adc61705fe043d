#pragma once

#include <arrow/type.h>

#include <memory>
#include <optional>
#include <vector>

#include "sql/row_source.h"

namespace shopstream::sql {

// What a statement sees instead of a value that is masked.
inline constexpr char kMask[] = "(hidden)";

// The rows of a source with some columns masked: each is a column of texts, kMask in every row, and
// is never read. As the values do not enter the engine, no name, function, join, filter, order or
// error of a statement reveals them.
class MaskedRows : public RowSource {
 public:
  // Borrowed; outlives this. `masked`: indexes into its schema.
  MaskedRows(RowSource* rows, const std::vector<int>& masked);

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  // The columns that are as they are.
  const std::shared_ptr<arrow::Schema>& unmasked() const { return unmasked_; }
  std::optional<int64_t> row_count() const override { return rows_->row_count(); }
  int MaxThreads() const override { return rows_->MaxThreads(); }
  Result<std::unique_ptr<RowScan>> Open(const std::vector<int>& columns, int threads) override;

 private:
  RowSource* const rows_;
  std::vector<bool> is_masked_;  // By column.
  std::shared_ptr<arrow::Schema> schema_, unmasked_;
};

}  // namespace shopstream::sql
