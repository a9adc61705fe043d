#pragma once

#include <vector>

#include "console/api.h"

namespace shopstream::console {

// Subjects of the registry, their versions, and the check of a pasted schema.
std::vector<ApiRoute> SchemaRoutes(const World& world);

}  // namespace shopstream::console
