#pragma once

#include <arrow/type.h>

#include <memory>

#include "base/status.h"

namespace shopstream::lake {

// The table still has the columns that the writer fills, members of nested ones included, and asks
// for none that it does not know. Invalid names the column.
Status CheckColumns(const arrow::Schema& table, const arrow::Schema& written);

// The table's columns and, behind them, those that only `written` has, nullable; members of nested
// columns likewise. The table's own order, types and metadata stay; where nothing is new, so does
// the schema itself. Invalid: a column of another type, one that may be null here but not there,
// or one whose name differs in case alone, which Delta takes for the same.
Result<std::shared_ptr<arrow::Schema>> MergeColumns(const std::shared_ptr<arrow::Schema>& table,
                                                    const arrow::Schema& written);

}  // namespace shopstream::lake
