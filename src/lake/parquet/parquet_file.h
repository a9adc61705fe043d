#pragma once

#include <arrow/record_batch.h>
#include <arrow/table.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/store/object_store.h"
#include "model/data_file.h"

namespace shopstream::lake {

// Encodes the rows (without partition columns) as one Parquet file, stores it as <table>/<partition
// path>/<name>.parquet, and returns it as the log names it, with statistics. Durable if it returns
// OK.
Result<DataFile> WriteDataFile(ObjectStore* store, const std::string& table_path,
                               const PartitionValues& partition,
                               const std::shared_ptr<arrow::RecordBatch>& rows);

// The same for some of the rows, by position and in this order. Gathers one column at a time, so
// that a batch of interleaved partitions is never in memory twice.
Result<DataFile> WriteDataFile(ObjectStore* store, const std::string& table_path,
                               const PartitionValues& partition,
                               const std::shared_ptr<arrow::RecordBatch>& rows,
                               const std::vector<int32_t>& selected);

// The rows of one partition in a batch, by position.
struct PartitionRows {
  PartitionValues values;
  std::vector<int32_t> rows;
};

// Writes a batch of interleaved partitions as one file each, in the order of `partitions`; durable
// if it returns OK. The encodings are chosen once, by the whole batch. Runs on several threads
// where the store takes several puts at a time; each holds a copy of one partition's rows.
Result<std::vector<DataFile>> WriteDataFiles(ObjectStore* store, const std::string& table_path,
                                             const std::shared_ptr<arrow::RecordBatch>& rows,
                                             const std::vector<PartitionRows>& partitions);

// The chosen columns (partition columns are filled from the log); none: all.
Result<std::shared_ptr<arrow::Table>> ReadDataFile(ObjectStore* store,
                                                   const std::string& table_path,
                                                   const DataFile& file,
                                                   const std::shared_ptr<arrow::Schema>& schema,
                                                   const std::vector<std::string>& columns = {});

}  // namespace shopstream::lake
