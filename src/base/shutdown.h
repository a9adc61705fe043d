#pragma once

#include "base/clock.h"

namespace shopstream {

// SIGINT and SIGTERM request a clean stop; a second one stops the process immediately (exit 130).
// Call once, before other threads start.
void InstallShutdownHandlers();
bool ShutdownRequested();
void RequestShutdown();  // For tests, and for parts that decide to stop the program.
// Sleeps until the pause is over or a stop is requested; returns true for a stop.
bool SleepUnlessShutdown(Millis pause);

}  // namespace shopstream
