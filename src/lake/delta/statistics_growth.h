#pragma once

#include <arrow/type.h>

#include "lake/delta/log_entry.h"
#include "lake/delta/table_state.h"

namespace shopstream::lake {

// Completes an entry that will follow `base`, so that every live file with statistics has them for
// every column of `table`, the schema after the entry. A column that a file lacks is all null in
// it. If the statistics did not say so, delta-rs's dataset would find no row of the file for any
// filter on the column.
//
// The entry's own files have the columns of `written`. If `table` has more columns than `base`, the
// live files are added again, with dataChange false and otherwise unchanged: about 1 KB each.
void CompleteStatistics(const TableState& base, const arrow::Schema& written,
                        const arrow::Schema& table, LogEntry* entry);

}  // namespace shopstream::lake
