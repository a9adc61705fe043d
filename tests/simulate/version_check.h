#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "lake/store/object_store.h"

namespace shopstream::simulate {

// The data files that a version still in the table's log names, and that are gone although nobody
// removed them from the table longer ago than the time guaranteed to readers of old versions.
Result<std::vector<std::string>> MissingFiles(lake::ObjectStore* store, const std::string& table,
                                              int64_t newest_version, int64_t now_ms);

}  // namespace shopstream::simulate
