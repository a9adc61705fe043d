#pragma once

#include <vector>

#include "console/api.h"
#include "console/change_log.h"
#include "console/gate.h"

namespace shopstream::console {

// The console itself: its version, settings and licences, and the log of changes. Borrowed; all
// outlive the routes.
std::vector<ApiRoute> AboutRoutes(const World& world, Gate& gate, const ChangeLog& changes);

// Every setting with its value, without secrets.
nlohmann::ordered_json ShownSettings(const Config& config);

}  // namespace shopstream::console
