#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/status.h"
#include "lake/store/object_store.h"
#include "model/data_file.h"

namespace shopstream::console {

// Numbers of rows by their reasons as the column has them: "duplicate", "quantity_range,two_cents".
using RowsByReasons = std::map<std::string, int64_t>;

// The rows of a data file of rejects by their reasons. Reads that column alone. Errors name the
// file.
Result<RowsByReasons> CountReasons(lake::ObjectStore* store, const std::string& table_path,
                                   const DataFile& file,
                                   const std::shared_ptr<arrow::Schema>& schema);

// By each single reason: a row that breaks two rules counts for both.
std::map<std::string, int64_t> BySingleReason(const RowsByReasons& rows);

}  // namespace shopstream::console
