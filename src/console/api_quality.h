#pragma once

#include <vector>

#include "console/api.h"

namespace shopstream::console {

// What became of each day's rows, quarantine, and its replay.
std::vector<ApiRoute> QualityRoutes(const World& world);

}  // namespace shopstream::console
