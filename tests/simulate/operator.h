#pragma once

#include "base/status.h"
#include "lake/store/object_store.h"
#include "simulate/world.h"

namespace shopstream::simulate {

// What an operator does with `progress accept-loss`: continues every partition that is stopped, and
// gives up each offset that Kafka cannot deliver.
Status AcceptLosses(World* world, lake::ObjectStore* store);

}  // namespace shopstream::simulate
