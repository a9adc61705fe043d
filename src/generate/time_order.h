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
  // What the needed columns of a file that is not in order may take in memory while it is sorted;
  // with the sort's own copy it is at times twice that.
  int64_t memory_limit_bytes = int64_t{512} << 20;
};

// The file's rows in the order of a column of times, equal ones in the order of the file. A file
// that is in order already, as exports mostly are, is streamed, whatever its size.
Result<std::shared_ptr<arrow::RecordBatchReader>> ReadInTimeOrder(
    const TableFile& file, const std::vector<std::string>& columns, const std::string& time_column,
    const SortOptions& options = {});

}  // namespace shopstream::generate
