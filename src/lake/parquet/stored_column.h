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

// How data files are read. Spark's INT96 timestamps are read as microseconds: as nanoseconds,
// Arrow's default, they would overflow outside the years 1677 to 2262.
parquet::ArrowReaderProperties DataFileProperties();

// Opens a data file with DataFileProperties(), to be read on the calling thread.
Result<std::unique_ptr<parquet::arrow::FileReader>> OpenDataFile(
    std::shared_ptr<arrow::io::RandomAccessFile> input);

// Compares ASCII letters only.
bool EqualButForCase(std::string_view a, std::string_view b);

// The index of the table's field of this name in a file; -1: the file lacks it. Delta's names
// ignore case: an ALTER TABLE may have changed it since the file was written.
int StoredIndex(const arrow::FieldVector& stored, const std::string& name);

// The Parquet columns of a file that hold these fields: all leaves of a nested field, because the
// table's type may have fewer members. Partition columns are read from the log.
std::vector<int> LeavesOf(const parquet::FileMetaData& file, const arrow::FieldVector& fields,
                          const PartitionValues& partition);

// A column in the table's type: from the log if it is a partition column, null if the file does not
// have it (`stored` null), otherwise converted.
Result<std::shared_ptr<arrow::ChunkedArray>> ColumnOf(
    const arrow::Field& field, const std::shared_ptr<arrow::ChunkedArray>& stored,
    const PartitionValues& partition, int64_t rows,
    arrow::MemoryPool* pool = arrow::default_memory_pool());

}  // namespace shopstream::lake
