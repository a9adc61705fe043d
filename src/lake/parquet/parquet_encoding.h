#pragma once

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <parquet/properties.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"

namespace shopstream::lake {

// One row group for most files, so that readers get long runs of each column.
inline constexpr int64_t kRowGroupRows = 1 << 20;
// The rows of a batch that go into a file.
class Selection {
 public:
  explicit Selection(const arrow::RecordBatch& rows) : rows_(rows), count_(rows.num_rows()) {}
  Selection(const arrow::RecordBatch& rows, const std::vector<int32_t>& positions)
      : rows_(rows),
        count_(static_cast<int64_t>(positions.size())),
        positions_(std::make_shared<arrow::Int32Array>(count_, arrow::Buffer::Wrap(positions))) {}

  const arrow::RecordBatch& rows() const { return rows_; }
  int64_t count() const { return count_; }
  int64_t PositionOf(int64_t i) const { return positions_ ? positions_->Value(i) : i; }
  // Null: all rows.
  const int32_t* positions() const { return positions_ ? positions_->raw_values() : nullptr; }
  Result<std::shared_ptr<arrow::Array>> Column(int column, int64_t begin, int64_t count) const {
    if (!positions_) return rows_.column(column)->Slice(begin, count);
    return arrow::compute::Take(*rows_.column(column), *positions_->Slice(begin, count),
                                arrow::compute::TakeOptions::NoBoundsCheck());
  }

 private:
  const arrow::RecordBatch& rows_;
  const int64_t count_;
  std::shared_ptr<arrow::Int32Array> positions_;  // Null: all rows.
};

// Columns by their dotted paths in the file.
using ColumnPaths = std::set<std::string>;

// Floating-point columns, members of structs included, whose footer bounds would mislead.
ColumnPaths MisleadingColumns(const Selection& selection);

// How to encode each column of rows like these: dictionary, delta or plain encoding, and how to
// compress it. The choice samples the rows, so that files of one batch share it.
class Encodings {
 public:
  static Result<Encodings> For(const Selection& selection);

  // For a file of `rows` rows. The footer has no statistics for `unbounded` columns and for
  // floating-point items of lists and maps: Parquet's bounds ignore NaN, so that readers who skip
  // by them would miss it.
  std::shared_ptr<parquet::WriterProperties> Properties(int64_t rows, const ColumnPaths& unbounded,
                                                        arrow::MemoryPool* pool) const;

 private:
  Encodings();
  Status Choose(const Selection& selection, int column);

  parquet::WriterProperties::Builder chosen_;  // All but the default compression.
  ColumnPaths random_;                         // Has no repetition for zstd to find.
  double bytes_per_row_ = 0;                   // In memory.
};

}  // namespace shopstream::lake
