#pragma once

#include <vector>

#include "console/api.h"

namespace shopstream::console {

// The search of a topic's records, and single records.
std::vector<ApiRoute> SearchRoutes(const World& world);

}  // namespace shopstream::console
