#pragma once

#include <memory>

#include "lake/store/object_store.h"

namespace shopstream::lake {

// The same store, which also shows at /metrics how long its requests take, how many fail, and how
// many bytes it is given. Requests through OpenInput and OpenOutput count only as they are opened.
std::unique_ptr<ObjectStore> Metered(std::unique_ptr<ObjectStore> store);

}  // namespace shopstream::lake
