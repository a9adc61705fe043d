#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <memory>
#include <vector>

#include "base/status.h"

namespace shopstream::ingest {

// Converts the array to `type`, which has all of its members and possibly more; those become null.
// Members match by name at every depth. Shares the values. Invalid: the types differ otherwise.
Result<std::shared_ptr<arrow::Array>> AlignArray(const std::shared_ptr<arrow::Array>& array,
                                                 const std::shared_ptr<arrow::DataType>& type);

// The rows of all batches, concatenated, in the columns of `schema`: a column that a batch lacks is
// null there. Releases the batches' memory, one column at a time.
Result<std::shared_ptr<arrow::RecordBatch>> AlignBatches(
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches,
    const std::shared_ptr<arrow::Schema>& schema);

}  // namespace shopstream::ingest
