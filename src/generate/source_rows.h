#pragma once

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "generate/source_mapping.h"

namespace shopstream::generate {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using TextPtr = std::shared_ptr<arrow::StringArray>;

// Nothing if it is null or empty: both are missing values.
std::optional<std::string_view> ValueAt(const arrow::StringArray& column, int64_t row);

// A mapping's joined files: the needed columns, in memory.
class JoinedFiles {
 public:
  static Result<JoinedFiles> Load(const SourceMapping& mapping);

  ArrayPtr Column(const ColumnRef& ref) const;
  // The join's row for each key, as indices; null: there is none.
  Result<ArrayPtr> Find(int join, const arrow::StringArray& keys) const;

 private:
  struct File {
    std::map<std::string, ArrayPtr> columns;
    TextPtr keys;
    std::unordered_map<std::string_view, int32_t> row_by_key;  // Views into `keys`.
  };
  static Result<File> LoadFile(const Join& join, const std::vector<std::string>& columns);

  std::vector<File> files_;
};

// One batch of the main file's rows, each with its joined rows. Columns are looked up when needed.
class SourceRows {
 public:
  // Borrows mapping and files. `rows` has kRowColumn.
  SourceRows(const SourceMapping& mapping, const JoinedFiles& joined,
             std::shared_ptr<arrow::RecordBatch> rows)
      : mapping_(mapping), joined_(joined), rows_(std::move(rows)) {}

  int64_t size() const { return rows_->num_rows(); }
  // For messages: "sales.csv, row 7".
  std::string At(int64_t row) const;
  // "sales.csv, column price"
  std::string NameOf(const ColumnRef& ref) const;
  // "sales.csv, row 7, column price: 'n/a'"
  Result<std::string> ValueFor(int64_t row, const ColumnRef& ref);
  // The decimal separator in the column's texts.
  char DecimalPoint(const ColumnRef& ref) const;

  // One value for each row, null if there is no joined row, or the value is not a number (NaN).
  Result<ArrayPtr> Column(const ColumnRef& ref);
  Result<TextPtr> Text(const ColumnRef& ref);

  // Keeps only the rows that the mask marks.
  Status Keep(const std::vector<bool>& mask);

 private:
  Result<ArrayPtr> Matches(int join);

  const SourceMapping& mapping_;
  const JoinedFiles& joined_;
  std::shared_ptr<arrow::RecordBatch> rows_;
  std::map<ColumnRef, ArrayPtr> columns_;
  std::map<ColumnRef, TextPtr> texts_;
  std::map<int, ArrayPtr> matches_;
};

// As a mask for Keep.
Result<ArrayPtr> ToMask(const std::vector<bool>& mask);

}  // namespace shopstream::generate
