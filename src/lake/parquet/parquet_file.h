#pragma once

#include <arrow/record_batch.h>
#include <arrow/table.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/store/object_store.h"
#include "lake/store/upload_queue.h"
#include "model/data_file.h"

namespace shopstream::lake {

class Encodings;

// Encodes the rows (without partition columns) as one Parquet file, stores it as <table>/<partition
// path>/<name>.parquet, and returns its entry for the log, with statistics. Durable if it returns
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

// Writes a batch of interleaved partitions as one file each, through a queue: they are durable once
// the queue is finished. The encodings are chosen once, from the whole batch.
class BatchWriter {
 public:
  BatchWriter(UploadQueue* queue, std::string table_path, std::shared_ptr<arrow::RecordBatch> rows);
  ~BatchWriter();
  Result<DataFile> Write(const PartitionValues& partition, const std::vector<int32_t>& selected);

 private:
  UploadQueue* const queue_;
  const std::string table_path_;
  const std::shared_ptr<arrow::RecordBatch> rows_;
  std::unique_ptr<Encodings> encodings_;  // Set by the first file.
};

// The chosen columns (partition columns are filled from the log); none: all.
Result<std::shared_ptr<arrow::Table>> ReadDataFile(ObjectStore* store,
                                                   const std::string& table_path,
                                                   const DataFile& file,
                                                   const std::shared_ptr<arrow::Schema>& schema,
                                                   const std::vector<std::string>& columns = {});

}  // namespace shopstream::lake
