#pragma once

#include <arrow/type.h>

#include <memory>

#include "base/status.h"

namespace shopstream::lake {

// Checks that the table still has the columns that the writer fills, including nested members, and
// requires no others. Invalid names the column.
Status CheckColumns(const arrow::Schema& table, const arrow::Schema& written);

// The table's columns followed by those that only `written` has, nullable; members of nested
// columns likewise. The table's order, types and metadata are kept; if nothing is new, so is the
// schema itself. Invalid: a column of another type, one that may be null here but not there, or one
// whose name differs only in case, which Delta treats as the same name.
Result<std::shared_ptr<arrow::Schema>> MergeColumns(const std::shared_ptr<arrow::Schema>& table,
                                                    const arrow::Schema& written);

}  // namespace shopstream::lake
