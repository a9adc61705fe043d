#pragma once

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>

#include <functional>
#include <vector>

#include "base/status.h"
#include "lake/parquet/column_statistics.h"

namespace shopstream::lake {

// Collects the facts of one top-level column, or of the members of its structs, from the values.
// One thread.
class ValueFacts {
 public:
  // `wanted` selects the types of members to collect facts for; null: all.
  explicit ValueFacts(const arrow::Field& field,
                      const std::function<bool(const arrow::DataType&)>& wanted = nullptr);

  // Values of the column's type, or dictionaries of such values.
  Status Add(const arrow::Array& values, arrow::MemoryPool* pool = arrow::default_memory_pool());
  Status Add(const arrow::ChunkedArray& values);

  // In the order of ColumnsWithStatistics, those of wanted types. has_nan is known.
  const std::vector<ColumnFacts>& columns() const { return columns_; }

 private:
  std::vector<ColumnFacts> columns_;
  std::vector<bool> wanted_;  // For each column that has statistics.
};

// Whether bounds in a footer would mislead readers about these floating-point values: they include
// NaN, which Parquet's bounds ignore, or are all zeros. For zeros the footer has the minimum -0 and
// the maximum 0; pyarrow concludes that each is -0, and then finds none in [0.0, 1.0]. `count`
// values at `positions`; null: the first ones. False for other types.
bool BoundsMislead(const arrow::Array& values, const int32_t* positions, int64_t count);

}  // namespace shopstream::lake
