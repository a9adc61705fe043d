#pragma once

#include "base/clock.h"

namespace shopstream {

// SIGINT and SIGTERM ask for a clean stop; a second one ends the process at once (exit 130).
// Call once, before other threads start.
void InstallShutdownHandlers();
bool ShutdownRequested();
void RequestShutdown();  // For tests and for parts that decide to end the program.
// Sleeps until the pause is over or a stop is asked for; true: stop.
bool SleepUnlessShutdown(Millis pause);

}  // namespace shopstream
