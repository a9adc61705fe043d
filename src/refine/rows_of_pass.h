#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"

namespace shopstream::refine {

// The rows that a pass added to Silver or to rejects, with all columns of the table, wherever
// compaction has moved them. Gone: a file was vacuumed meanwhile; refresh and repeat.
Result<std::shared_ptr<arrow::RecordBatch>> RowsOfPass(
    lake::ObjectStore* store, const std::string& table_path,
    const std::shared_ptr<const lake::Snapshot>& snapshot, int64_t pass);

}  // namespace shopstream::refine
