#pragma once

#include "simulate/world.h"

namespace shopstream::simulate {

// Checks what must be true once a history is over and everything has been read: each record that
// Kafka acknowledged is in Bronze or in quarantine exactly once, with its content; nothing else is;
// every version in the log can be read, and none of its files is missing. Adds violations to
// world->failures. Must be run by a program.
void Check(World* world);

}  // namespace shopstream::simulate
