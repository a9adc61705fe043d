#pragma once

#include <vector>

#include "console/api.h"

namespace shopstream::console {

// Labs, as the program of console.labs_command runs them.
std::vector<ApiRoute> LabRoutes(const World& world);

}  // namespace shopstream::console
