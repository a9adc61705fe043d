#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <memory>
#include <vector>

#include "base/status.h"

namespace shopstream::ingest {

// The array as one of `type`, which has all its members and may have more: those are null. Names
// decide, at every depth. Shares the values. Invalid: a type that is not the same otherwise.
Result<std::shared_ptr<arrow::Array>> AlignArray(const std::shared_ptr<arrow::Array>& array,
                                                 const std::shared_ptr<arrow::DataType>& type);

// The rows of all batches, one after the other, as `schema`: a column that a batch lacks is null
// there. Takes the batches' memory over, a column at a time.
Result<std::shared_ptr<arrow::RecordBatch>> AlignBatches(
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches,
    const std::shared_ptr<arrow::Schema>& schema);

}  // namespace shopstream::ingest
