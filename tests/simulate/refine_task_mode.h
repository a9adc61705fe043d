#pragma once

#include <cstdint>

#include "refine/refine_loop.h"
#include "simulate/refine_plan.h"

namespace shopstream::simulate {

// How an operator starts refine for kRestate, kRetain or kErase. `today`: days since 1970.
refine::RefineMode TaskMode(const RefineAction& action, int32_t today);

}  // namespace shopstream::simulate
