#pragma once

#include <arrow/record_batch.h>

#include <memory>

#include "base/status.h"
#include "sql/session.h"

namespace shopstream::refine {

// Runs the statement; its rows as one batch.
Result<std::shared_ptr<arrow::RecordBatch>> AllRows(sql::Query* query);

}  // namespace shopstream::refine
