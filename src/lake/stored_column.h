#pragma once

#include <arrow/chunked_array.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/data_file.h"

namespace shopstream::lake {

// How data files are read. Spark's INT96 timestamps come as microseconds: as nanoseconds, Arrow's
// default, they would wrap outside the years 1677 to 2262.
parquet::ArrowReaderProperties DataFileProperties();

// A data file, read on the calling thread by DataFileProperties().
Result<std::unique_ptr<parquet::arrow::FileReader>> OpenDataFile(
    std::shared_ptr<arrow::io::RandomAccessFile> input);

// By ASCII letters.
bool EqualButForCase(std::string_view a, std::string_view b);

// Where a file has the table's field of this name; -1: it does not. Delta's names have no case: an
// ALTER TABLE may have changed it since the file was written.
int StoredIndex(const arrow::FieldVector& stored, const std::string& name);

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
