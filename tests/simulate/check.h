#pragma once

#include "simulate/world.h"

namespace shopstream::simulate {

// What must be true once a history is over and everything has been read: each record that Kafka
// acknowledged is in Bronze or in quarantine once, with what was sent; nothing else is; every
// version that the log still holds can be read, and no file that one needs is gone. What is not
// true is added to world->failures. To be run by a program.
void Check(World* world);

}  // namespace shopstream::simulate
