#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"

namespace shopstream::lake {

// Opens a table for those who do not create it. If there is none, the KeyError names the nearest
// existing table, or reports that the lake has none.
Result<std::unique_ptr<Table>> OpenExisting(ObjectStore* store, const std::string& path);

}  // namespace shopstream::lake
