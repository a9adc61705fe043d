#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "model/data_file.h"

namespace shopstream::refine {

// How many rows of these files of a table's archive the table does not have: none of its rows comes
// from the same place in Kafka, and it has not recorded that such a row was erased or expired. Rows
// without coordinates count as missing. Reads the columns with the coordinates alone.
Result<int64_t> CountMissingRows(const lake::Table& table, lake::ObjectStore* place,
                                 const lake::Snapshot& archive, const std::vector<DataFile>& files);

}  // namespace shopstream::refine
