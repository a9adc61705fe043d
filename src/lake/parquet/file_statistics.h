#pragma once

#include <arrow/type.h>

#include <string>

#include "base/status.h"
#include "lake/store/object_store.h"
#include "model/data_file.h"

namespace shopstream::lake {

// The statistics that this lake's writer would give a data file (StatisticsJson): from its footer,
// and from the values of columns for which the footer is insufficient (floating-point columns,
// which may have NaN; long texts; types other than the table's). Holds a few megabytes of rows.
// `table_schema`: of the newest snapshot; file.partition_values names the columns to omit.
// IOError: the store does not answer. Other errors: the file cannot be read with the table's
// schema.
Result<std::string> ComputeStatistics(ObjectStore* store, const std::string& table_path,
                                      const DataFile& file, const arrow::Schema& table_schema);

}  // namespace shopstream::lake
