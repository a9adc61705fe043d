#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/parquet/file_predicate.h"
#include "model/data_file.h"

// Rows and files by date, by which all tables of refine are partitioned.
namespace shopstream::refine {

// Days since 1970; nothing: null.
using Date = std::optional<int32_t>;

// The positions of the rows of each date. Invalid: there is no column date, or it is no date.
Result<std::map<Date, std::vector<int32_t>>> RowsByDate(const arrow::RecordBatch& rows);
// The rows at the positions, in this order.
Result<std::shared_ptr<arrow::RecordBatch>> RowsAt(const std::shared_ptr<arrow::RecordBatch>& rows,
                                                   const std::vector<int32_t>& positions);

// Invalid: the file's partition value is not a date. `path`: for messages.
Result<Date> DateOf(const PartitionValues& values, const std::string& path);
Result<Date> DateOf(const DataFile& file);
// The partition value of a table that is partitioned by date alone.
PartitionValues PartitionOf(Date date);
// For tables with the partition column date: the files of these dates, and no others.
lake::FilePredicate OfDates(const std::vector<Date>& dates);

}  // namespace shopstream::refine
