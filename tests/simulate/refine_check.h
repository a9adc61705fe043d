#pragma once

#include "simulate/refine_watch.h"
#include "simulate/refine_world.h"

namespace shopstream::simulate {

// Checks what must be true once everything is refined: Bronze has every purchase below its progress
// once, but for those in quarantine; each row of Bronze is in Silver or in rejects, once; each
// purchase is in Silver at most once; every version can be read. Adds violations to
// world->failures. What the rows are is checked by tests/test_simulated_refine.py. Must be run by a
// program.
void CheckRefined(RefineWorld* world, const RefineWatch& watch);

}  // namespace shopstream::simulate
