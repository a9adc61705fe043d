#pragma once

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>

#include <functional>
#include <vector>

#include "base/status.h"
#include "lake/column_statistics.h"

namespace shopstream::lake {

// Gathers the facts of one top-level column, or of the members of its structs, from the values
// themselves. One thread.
class ValueFacts {
 public:
  // `wanted` says for which types of members facts are gathered; null: for all.
  explicit ValueFacts(const arrow::Field& field,
                      const std::function<bool(const arrow::DataType&)>& wanted = nullptr);

  // Values of the column's type, or dictionaries of such values.
  Status Add(const arrow::Array& values, arrow::MemoryPool* pool = arrow::default_memory_pool());
  Status Add(const arrow::ChunkedArray& values);

  // In the order of ColumnsWithStatistics, those of wanted types. has_nan is known.
  const std::vector<ColumnFacts>& columns() const { return columns_; }

 private:
  std::vector<ColumnFacts> columns_;
  std::vector<bool> wanted_;  // Of each column that has statistics.
};

// Whether a value is NaN, in a floating array or in a member of a struct. `count` values at
// `positions`; null: the first ones.
bool HasNan(const arrow::Array& values, const int32_t* positions, int64_t count);

}  // namespace shopstream::lake
