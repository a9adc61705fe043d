#pragma once

#include <vector>

#include "console/api.h"

namespace shopstream::console {

// The table of the whole API.
std::vector<ApiRoute> AllRoutes(const World& world);

}  // namespace shopstream::console
