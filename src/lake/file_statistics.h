#pragma once

#include <arrow/type.h>

#include <string>

#include "base/status.h"
#include "lake/object_store.h"
#include "model/data_file.h"

namespace shopstream::lake {

// The statistics of a data file as this lake's writer would give them (StatisticsJson), whoever
// wrote it: from its footer, and from the values of those columns that the footer does not tell
// enough of (floating columns, which may have NaN; long texts; other types than the table's). Holds
// a few megabytes of the file's rows at a time. `table_schema`: of the newest snapshot, with its
// partition columns, of which file.partition_values names those to leave out.
//
// IOError: the store does not answer. Other errors: the file cannot be read as the table's schema
// says.
Result<std::string> ComputeStatistics(ObjectStore* store, const std::string& table_path,
                                      const DataFile& file, const arrow::Schema& table_schema);

}  // namespace shopstream::lake
