#pragma once

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <parquet/metadata.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/data_file.h"

namespace shopstream::lake {

// Facts about one column's values in a whole file or a row group. Bounds are null if there are none
// (all null, NaN, binary) or unknown.
struct ColumnFacts {
  std::vector<std::string> path;  // A column's name; below a struct, also those of its members.
  std::shared_ptr<arrow::DataType> type;
  std::optional<int64_t> null_count;
  std::shared_ptr<arrow::Scalar> min;
  std::shared_ptr<arrow::Scalar> max;
  bool has_nan = false;  // Known only from values: no footer shows it.

  // "buyer.name", the name that Parquet's writer gives a column.
  std::string DottedPath() const;
};

// Path and type of each column that has one value per row, including members of structs at any
// depth. Items of lists and maps have no statistics in the log. Columns of `partition` are omitted
// because files do not have them.
std::vector<ColumnFacts> ColumnsWithStatistics(const arrow::Schema& schema,
                                               const PartitionValues& partition = {});

// Adds what the file's footer knows about the columns. Left unknown: columns without statistics in
// the footer, of another type, or with truncated bounds. Names match regardless of case; a column
// that the file does not have is all null. A footer does not show NaN.
Status FillFromFooter(const parquet::FileMetaData& file, std::vector<ColumnFacts>* columns);
// The same about the rows of one row group.
Status FillFromRowGroup(const parquet::FileMetaData& file, int row_group,
                        std::vector<ColumnFacts>* columns);

// Replaces the facts of the columns in `known`.
void ReplaceFacts(const std::vector<ColumnFacts>& known, std::vector<ColumnFacts>* columns);

// Whether the log can have statistics of the column that are correct for every reader: the number
// of nulls and, unless all are null or the type has no order, both bounds.
bool IsBounded(const ColumnFacts& column, int64_t rows);

// Adds the dotted paths of columns that are not bounded, for which a footer must not have bounds
// either. False: all of them were in the set already.
bool AddUnbounded(const std::vector<ColumnFacts>& columns, int64_t rows,
                  std::set<std::string>* unbounded);

// The same for floating-point columns that are all zeros in some row group: their bounds, -0 and 0,
// mislead readers (see BoundsMislead).
bool AddZeroColumns(const parquet::FileMetaData& file, std::set<std::string>* unbounded);

// The JSON text of add.stats (Delta protocol, "Per-file Statistics"). A column's statistics must be
// complete or absent: delta-rs's dataset treats an absent bound as "no row". So if a column is not
// bounded, or the schema keeps none, the statistics are numRecords alone; otherwise they are
// minValues, maxValues and nullCount of all columns. Members of structs are in objects of their
// own, which are present even if empty.
std::string StatisticsJson(int64_t rows, const std::vector<ColumnFacts>& columns,
                           const arrow::Schema& schema);

// Whether every reader can use statistics of such a table. False if a struct has bytes, lists or
// maps among its members: delta-rs has no place for those in its statistics. Polars then fails at
// any filter on the struct, and without the struct delta-rs finds no null in it.
bool KeepsStatistics(const arrow::Schema& schema);

// The columns of `grown` that `schema` lacks, in the form of ColumnsWithStatistics.
std::vector<ColumnFacts> NewColumns(const arrow::Schema& schema, const arrow::Schema& grown);

// The statistics of a file for a table of this schema, if the file lacks some columns: these are
// all null in it. Reduced to numRecords if the schema keeps none. Nothing: no change needed. Empty:
// they cannot be completed (no numRecords, or not a JSON object); a file without statistics hides
// no row.
std::optional<std::string> CompletedStatistics(const std::string& statistics,
                                               const std::vector<ColumnFacts>& missing,
                                               const arrow::Schema& schema);

// Whether statistics have the form written by StatisticsJson: numRecords alone, or nullCount of
// every column and, unless all are null, both bounds in a form that every reader can parse. Absent
// statistics also count as sound. Checks the text only: whether bounds are true, and whether a
// floating-point column has NaN, can only be told from the file (file_statistics.h).
bool HasSoundForm(const std::string& statistics, const arrow::Schema& schema,
                  const PartitionValues& partition);

}  // namespace shopstream::lake
