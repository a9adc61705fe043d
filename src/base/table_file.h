#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "base/file_format.h"
#include "base/status.h"

namespace shopstream {

// Beside the columns asked for, each batch has the number of each row in the file: rows of data,
// counted from 1 (lines would be useless, as a quoted value may have line breaks).
inline constexpr const char* kRowColumn = "#row";

// A Parquet (.parquet) or text (.csv, .tsv, .txt, with column names in its first line) file, read
// as a stream of batches. Columns of text files are all utf8; the reader decides what they mean.
// Texts of any Arrow type, also dictionaries and binary ones, become utf8.
class TableFile {
 public:
  // Reads the names of the columns. IOError: no such file, or not of this format. Invalid names
  // each needed column that the file lacks, and the nearest existing one.
  static Result<TableFile> Open(const std::string& path, const FileFormat& format,
                                const std::vector<std::string>& needed);

  const std::string& path() const { return path_; }
  // Reads from the first row, these of the needed columns in this order, then kRowColumn. Memory is
  // bounded by the file's row groups (compressed) and a batch. Counts in `skipped`, which must
  // outlive the reader; null: they are not counted.
  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(const std::vector<std::string>& columns,
                                                         SkippedLines* skipped) const;

 private:
  // Fills in columns_ and, of a text, what format_ leaves open.
  Status ReadHeader(const std::vector<std::string>& needed);
  Status CheckColumns(const std::vector<std::string>& needed) const;

  std::string path_;
  FileFormat format_;
  bool is_text_ = false;
  std::vector<std::string> columns_;
};

}  // namespace shopstream
