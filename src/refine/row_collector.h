#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "model/data_file.h"

namespace shopstream::refine {

// Rows of Bronze, in no particular order.
struct PassRows {
  std::shared_ptr<arrow::RecordBatch> rows;  // Bronze's columns in their order, never null.
  std::vector<int32_t> partition_of_row;     // Index into `partitions`, one per row.
  std::vector<PartitionValues> partitions;   // Each once, with rows; in the log's spelling.
  // Of rows in the same files: another program appended them, and no pass decides them. Counted
  // once per row, by the pass that reaches Bronze's version.
  int64_t without_coordinates = 0;
};

// The columns that data files have: all but those of the partition.
std::vector<std::string> StoredColumns(const lake::Snapshot& table);

// Puts rows of several data files of Bronze together.
class RowCollector {
 public:
  explicit RowCollector(std::shared_ptr<const lake::Snapshot> bronze);

  // The rows at these positions, ascending, of a batch with StoredColumns.
  Status Add(const DataFile& file, std::shared_ptr<arrow::RecordBatch> batch,
             const std::vector<int32_t>& positions);
  int64_t rows() const { return rows_; }
  int64_t bytes() const { return bytes_; }  // In memory, without padding.
  // All rows; none are left.
  Result<PassRows> Take();

 private:
  struct Piece {
    int32_t partition = 0;
    int64_t rows = 0;
    std::map<std::string, std::shared_ptr<arrow::Array>> columns;
  };

  Result<int32_t> PartitionOf(const DataFile& file);
  Result<std::shared_ptr<arrow::Array>> Joined(const arrow::Field& field);

  const std::shared_ptr<const lake::Snapshot> bronze_;
  std::vector<Piece> pieces_;
  std::vector<PartitionValues> partitions_;
  int64_t rows_ = 0, bytes_ = 0;
};

}  // namespace shopstream::refine
