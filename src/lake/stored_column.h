#pragma once

#include <arrow/chunked_array.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <parquet/metadata.h>

#include <memory>
#include <vector>

#include "base/status.h"
#include "model/data_file.h"

namespace shopstream::lake {

// Which of a file's Parquet columns hold these fields: all leaves of a nested one, since the
// table's type may have fewer members. Partition columns are read from the log.
std::vector<int> LeavesOf(const parquet::FileMetaData& file, const arrow::FieldVector& fields,
                          const PartitionValues& partition);

// A column as the table has it: from the log where it is a partition column, null where the file
// does not have it (`stored` null), otherwise brought to the table's type.
Result<std::shared_ptr<arrow::ChunkedArray>> ColumnOf(
    const arrow::Field& field, const std::shared_ptr<arrow::ChunkedArray>& stored,
    const PartitionValues& partition, int64_t rows,
    arrow::MemoryPool* pool = arrow::default_memory_pool());

}  // namespace shopstream::lake
