#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <string>

// Results as CSV: RFC 4180, but with \n. Null is nothing, and an empty text is "".
namespace shopstream::sql {

// The line of the columns' names.
std::string CsvHeader(const arrow::Schema& schema);
std::string CsvLines(const arrow::RecordBatch& rows);

}  // namespace shopstream::sql
