#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>

#include "base/config.h"
#include "base/status.h"
#include "lake/store/object_store.h"

namespace shopstream::console {

// The rows of a statement of ours over the lake's tables, those that refine fills at the last pass
// that all of them have. For few rows.
Result<std::shared_ptr<arrow::RecordBatch>> AskLake(lake::ObjectStore* store, const Config& config,
                                                    const std::string& sql);

}  // namespace shopstream::console
