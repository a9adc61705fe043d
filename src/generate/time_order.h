#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>

#include "base/status.h"
#include "base/table_file.h"
#include "generate/event_source.h"
#include "generate/purchase_mapper.h"
#include "generate/source_mapping.h"

namespace shopstream::generate {

struct SortOptions {
  // Maximum memory for the events of a file that must be sorted; together with the sort's copy it
  // is temporarily twice that.
  int64_t memory_limit_bytes = int64_t{512} << 20;
};

// The file's events in the order of their time, equal times in the order of the file. A file that
// is already in order, as most exports are, is streamed, whatever its size. `skipped` counts the
// rows that do not become events, as far as the file has been read. Borrows everything, also for
// the reader.
Result<std::shared_ptr<arrow::RecordBatchReader>> ReadInTimeOrder(const TableFile& file,
                                                                  const SourceMapping& mapping,
                                                                  const PurchaseMapper& mapper,
                                                                  const SortOptions& options,
                                                                  SkippedRows* skipped);

}  // namespace shopstream::generate
