#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "generate/table_file.h"

namespace shopstream::generate {

struct SortOptions {
  // Maximum memory for the needed columns of a file that must be sorted; together with the sort's
  // copy it is temporarily twice that.
  int64_t memory_limit_bytes = int64_t{512} << 20;
};

// The file's rows in the order of a time column, equal times in the order of the file. A file that
// is already in order, as most exports are, is streamed, whatever its size.
Result<std::shared_ptr<arrow::RecordBatchReader>> ReadInTimeOrder(
    const TableFile& file, const std::vector<std::string>& columns, const std::string& time_column,
    const SortOptions& options = {});

}  // namespace shopstream::generate
