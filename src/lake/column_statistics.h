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

// What is known of one column's values over a whole file. Bounds are null where there are none
// (all null, NaN, binary) or where they are not known.
struct ColumnFacts {
  std::vector<std::string> path;  // A column's name; below a struct, those of its members too.
  std::shared_ptr<arrow::DataType> type;
  std::optional<int64_t> null_count;
  std::shared_ptr<arrow::Scalar> min;
  std::shared_ptr<arrow::Scalar> max;
  bool has_nan = false;  // Known from values only: no footer shows it.

  // "buyer.name", as Parquet's writer names a column.
  std::string DottedPath() const;
};

// Each column that has one value a row, members of structs at any depth among them: its path and
// type, nothing else. What lists and maps hold has no statistics in the log. Columns of `partition`
// are left out: files do not have them.
std::vector<ColumnFacts> ColumnsWithStatistics(const arrow::Schema& schema,
                                               const PartitionValues& partition = {});

// Fills in what the file's footer knows of the columns. Left unknown: what the Parquet writer noted
// no statistics of, has under another type, or cut short. Names are found whatever the case of
// their letters; a column that the file does not have is all null. NaN does not show.
Status FillFromFooter(const parquet::FileMetaData& file, std::vector<ColumnFacts>* columns);

// Puts the facts of `known` in place of those of the same columns.
void ReplaceFacts(const std::vector<ColumnFacts>& known, std::vector<ColumnFacts>* columns);

// Whether the log can have statistics of the column that make every reader right: the number of
// nulls and, unless all are null or the type has no order, both bounds.
bool IsBounded(const ColumnFacts& column, int64_t rows);

// Adds the dotted paths of columns that are not bounded, of which a footer must have no bounds
// either. False: all of them are in the set already.
bool AddUnbounded(const std::vector<ColumnFacts>& columns, int64_t rows,
                  std::set<std::string>* unbounded);

// The same for floating columns of which some row group has nothing but zeros: its bounds, -0 and
// 0, mislead readers (see BoundsMislead).
bool AddZeroColumns(const parquet::FileMetaData& file, std::set<std::string>* unbounded);

// The JSON text of add.stats (Delta protocol, "Per-file Statistics"). Statistics of a column are
// complete or not there: delta-rs's dataset takes an absent bound for "no row". So if one column is
// not bounded, or the schema keeps none, they are numRecords alone; otherwise minValues, maxValues
// and nullCount of all columns. Members of structs are in objects of their own, which are there
// even when empty.
std::string StatisticsJson(int64_t rows, const std::vector<ColumnFacts>& columns,
                           const arrow::Schema& schema);

// Whether every reader can use statistics of such a table. Not if some struct has bytes, lists or
// maps among its members: delta-rs has no place for those in its statistics, and then Polars fails
// at any filter on the struct, while without the struct delta-rs finds no null in it.
bool KeepsStatistics(const arrow::Schema& schema);

// The columns of `grown` that `schema` does not have, as ColumnsWithStatistics gives them.
std::vector<ColumnFacts> NewColumns(const arrow::Schema& schema, const arrow::Schema& grown);

// The statistics of a file for a table of this schema, of which the file lacks some columns: all
// null in it. Reduced to numRecords if the schema keeps none. Nothing if there is nothing to
// change. Empty if they cannot be completed (no numRecords, no JSON object): a file without
// statistics hides no row.
std::optional<std::string> CompletedStatistics(const std::string& statistics,
                                               const std::vector<ColumnFacts>& missing,
                                               const arrow::Schema& schema);

// Whether statistics have the form that StatisticsJson gives: numRecords alone, or nullCount of
// every column and, unless all are null, both bounds as every reader can parse them. Absent
// statistics count as sound too. By the text alone: whether bounds are true, and whether a floating
// column has NaN, only the file shows (file_statistics.h).
bool HasSoundForm(const std::string& statistics, const arrow::Schema& schema,
                  const PartitionValues& partition);

}  // namespace shopstream::lake
