#pragma once

#include <vector>

#include "console/api.h"

namespace shopstream::console {

std::vector<ApiRoute> LineageRoutes(const World& world);

}  // namespace shopstream::console
