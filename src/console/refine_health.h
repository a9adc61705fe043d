#pragma once

#include "base/config.h"
#include "observe/health.h"

namespace shopstream::console {

// The check "refine": down while a rule halts it; degraded if its files cannot be used, or if rows
// wait and no pass is made.
observe::HealthCheck RefineHealthCheck(const Config& config);

}  // namespace shopstream::console
