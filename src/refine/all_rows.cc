#include "refine/all_rows.h"

#include <utility>

namespace shopstream::refine {

Result<std::shared_ptr<arrow::RecordBatch>> AllRows(sql::Query* query) {
  ARROW_ASSIGN_OR_RAISE(const auto stream, query->Stream());
  arrow::RecordBatchVector batches;
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(auto batch, stream->Next());
    if (batch == nullptr) break;
    batches.push_back(std::move(batch));
  }
  if (batches.empty()) return arrow::RecordBatch::MakeEmpty(stream->schema());
  return arrow::ConcatenateRecordBatches(batches);
}

}  // namespace shopstream::refine
