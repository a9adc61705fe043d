#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/status.h"
#include "lake/store/object_store.h"
#include "model/data_file.h"

namespace shopstream::tables {

// The rows of a data file of quarantine by their cause. Reads that column alone. Errors name the
// file.
Result<std::map<std::string, int64_t>> CountCauses(lake::ObjectStore* store,
                                                   const std::string& table_path,
                                                   const DataFile& file,
                                                   const std::shared_ptr<arrow::Schema>& schema);

}  // namespace shopstream::tables
