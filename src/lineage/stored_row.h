#pragma once

#include <arrow/record_batch.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/parquet/file_predicate.h"
#include "lake/store/object_store.h"

namespace shopstream::lineage {

// Where Kafka has a record.
struct RecordKey {
  std::string topic_id;  // Empty: of any topic.
  int32_t partition = 0;
  int64_t offset = 0;
};

// Where a row is in a version of a table.
struct RowPlace {
  std::string table;
  int64_t version = 0;
  std::string path;  // Relative to the table's root.
  int64_t file_rows = 0, file_bytes = 0;
  int row_group = 0;
  int64_t position = 0;  // In the row group, from 0.
};

struct StoredRow {
  RowPlace place;
  std::shared_ptr<arrow::RecordBatch> row;  // One row with all columns of the table.
};

inline bool NeverStops() { return false; }

struct RowSearch {
  // Files and row groups whose statistics exclude it are not read.
  lake::FilePredicate where;
  std::vector<std::string> columns;  // What `matches` needs; none of them is a partition column.
  // The positions of the wanted rows, ascending.
  std::function<Result<std::vector<int32_t>>(const arrow::RecordBatch&)> matches;
  size_t limit = 20;  // The search ends when it has found so many.
  // Asked before each batch of rows. True: the search fails as Cancelled.
  std::function<bool()> stop = NeverStops;
};

// The newest files are searched first. Empty if the table lacks one of the columns.
Result<std::vector<StoredRow>> FindRows(lake::ObjectStore* store, const std::string& table,
                                        const lake::Snapshot& snapshot, const RowSearch& search);

// The rows that came from this record: one, unless the table is damaged or the key has no topic id.
Result<std::vector<StoredRow>> FindRecord(lake::ObjectStore* store, const std::string& table,
                                          const lake::Snapshot& snapshot, const RecordKey& key,
                                          const std::function<bool()>& stop = NeverStops);

// The condition on files that may have the record.
lake::FilePredicate MayHave(const RecordKey& key);
// The column has exactly this text.
lake::FilePredicate HasText(const std::string& column, const std::string& text);
// The positions of rows in which a column of texts has this value.
std::vector<int32_t> RowsWithText(const arrow::RecordBatch& rows, const std::string& column,
                                  const std::string& text);

}  // namespace shopstream::lineage
