#pragma once

#include <vector>

#include "console/api.h"

namespace shopstream::console {

// Consumer groups: members, lag now and over time, and the reset of offsets.
std::vector<ApiRoute> GroupRoutes(const World& world);

}  // namespace shopstream::console
