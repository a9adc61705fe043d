#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"

namespace shopstream::generate {

// A Parquet (.parquet) or CSV (.csv, with column names in its first line) file, read as a stream of
// batches. CSV columns are all text; the mapping decides what they mean.
class TableFile {
 public:
  // Reads the names of the columns. IOError: no such file, or not of this format.
  static Result<TableFile> Open(const std::string& path);

  const std::string& path() const { return path_; }
  // Invalid names each column that the file lacks, and the nearest existing one.
  Status CheckColumns(const std::vector<std::string>& columns) const;
  // Reads from the first row, these columns in this order. Memory is bounded by the file's row
  // groups (compressed) and a batch.
  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(
      const std::vector<std::string>& columns) const;

 private:
  std::string path_;
  bool is_csv_ = false;
  std::vector<std::string> columns_;
};

}  // namespace shopstream::generate
