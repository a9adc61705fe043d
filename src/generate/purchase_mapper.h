#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "generate/source_mapping.h"

namespace shopstream::generate {

// The values of a time column as milliseconds since the Unix epoch: timestamps (UTC if they have no
// zone), dates, or ISO 8601 text. `where` is the prefix of messages.
Result<std::shared_ptr<arrow::Array>> ToUtcMillis(const std::shared_ptr<arrow::Array>& column,
                                                  const std::string& where);

struct JoinedTable;  // purchase_mapper.cc

// Turns rows of a mapping's file into purchases. Holds the used columns of the joined files in
// memory. Not thread-safe.
class PurchaseMapper {
 public:
  // Reads the joined files. Invalid: a column or a constant does not fit.
  static Result<std::unique_ptr<PurchaseMapper>> Open(const SourceMapping& mapping);
  ~PurchaseMapper();

  // `rows` has the columns ColumnsOf(mapping, -1); `first_row` is the number of rows before them,
  // for messages. The result has PurchaseEventSchema().
  Result<std::shared_ptr<arrow::RecordBatch>> Map(const arrow::RecordBatch& rows,
                                                  int64_t first_row);

 private:
  explicit PurchaseMapper(const SourceMapping& mapping);
  const SourceMapping mapping_;
  std::vector<std::unique_ptr<JoinedTable>> joined_;  // Parallel to mapping_.joins.
};

}  // namespace shopstream::generate
