#pragma once

#include <string>

#include "base/status.h"
#include "lake/object_store.h"

namespace shopstream::lake {

// Exactly once rests on PutIfAbsent. Puts an object into `folder` twice where the store is remote,
// and removes it: Invalid where the second one replaces the first, since two writers would then
// overwrite each other's commits. Creates the bucket where it is missing.
Status ProvePutIfAbsent(ObjectStore* store, const std::string& folder);

}  // namespace shopstream::lake
