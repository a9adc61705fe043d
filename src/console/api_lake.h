#pragma once

#include <vector>

#include "console/api.h"

namespace shopstream::console {

std::vector<ApiRoute> LakeRoutes(const World& world);

}  // namespace shopstream::console
