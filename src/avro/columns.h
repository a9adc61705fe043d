#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace shopstream::avro {

// Growing columns in Arrow's own layout. A row is appended whole by a Decoder, or not at all.
// Not thread-safe; one owner.
class Columns {
 public:
  explicit Columns(std::shared_ptr<arrow::Schema> schema);

  const std::shared_ptr<arrow::Schema>& schema() const;
  int64_t rows() const;
  int64_t bytes() const;  // Allocated.

  // Values of a row already appended; for routing. The column's type must fit.
  std::string_view String(int column, int64_t row) const;
  int64_t Int64(int column, int64_t row) const;
  bool IsNull(int column, int64_t row) const;

  // Takes back the rows from `rows` on: a row that decoded but is refused for its content.
  void Truncate(int64_t rows);
  // Hands over all rows without copying and starts empty.
  Result<std::shared_ptr<arrow::RecordBatch>> Finish();
};

}  // namespace shopstream::avro
