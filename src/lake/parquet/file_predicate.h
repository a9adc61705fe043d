#pragma once

#include <arrow/scalar.h>
#include <parquet/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "model/data_file.h"

namespace shopstream::lake {

// What a row's value in one column must satisfy. Values compare as in SQL: null satisfies no bound,
// NaN is above every number, texts compare by their UTF-8 bytes.
struct ColumnRange {
  std::string column;  // A top-level column of the table; may be a partition column.
  // Must be of the column's type in the table: partition values and the log's statistics are parsed
  // as this type. Null: not bounded on this side. Without either, any value but null satisfies it:
  // IS NOT NULL.
  std::shared_ptr<arrow::Scalar> least = nullptr;
  std::shared_ptr<arrow::Scalar> most = nullptr;
  bool above = false;    // `least` itself does not satisfy it: >
  bool below = false;    // `most` itself does not satisfy it: <
  bool is_null = false;  // IS NULL; the bounds are ignored.
};

// A condition on the rows of a table, to find the files and row groups that may have such rows. It
// decides by partition values and statistics alone. These are outer bounds (Delta's are cut at 32
// characters and rounded to milliseconds, no footer shows NaN, anything may be missing), so that
// everything left out has no such row, while what is read may have others: readers still filter.
// Immutable once built; a copy is cheap enough for one per query.
class FilePredicate {
 public:
  FilePredicate() = default;         // Every row.
  FilePredicate(ColumnRange range);  // NOLINT(google-explicit-constructor): reads as a list.
  static FilePredicate AllOf(std::vector<FilePredicate> parts);  // None: every row.
  static FilePredicate AnyOf(std::vector<FilePredicate> parts);  // None: no row.

  // Whether it is every row by its form alone.
  bool is_all() const { return kind_ == Kind::kAllOf && parts_.empty(); }

  // Whether a file may have such rows, as far as the log shows.
  bool MayMatch(const DataFile& file) const;

  // The row groups of an opened file that may have such rows, in order.
  std::vector<int> RowGroups(const DataFile& file, const parquet::FileMetaData& footer) const;

 private:
  enum class Kind { kRange, kAllOf, kAnyOf };

  template <typename Find>
  bool MayMatchWhere(const Find& find) const;
  template <typename Visit>
  void VisitRanges(const Visit& visit) const;

  Kind kind_ = Kind::kAllOf;
  ColumnRange range_;                 // With kRange.
  std::vector<FilePredicate> parts_;  // Otherwise.
};

}  // namespace shopstream::lake
