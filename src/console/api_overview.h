#pragma once

#include <vector>

#include "console/api.h"

namespace shopstream::console {

// The overview: what the sampler knows, without a request to anything.
std::vector<ApiRoute> OverviewRoutes(const World& world);

}  // namespace shopstream::console
