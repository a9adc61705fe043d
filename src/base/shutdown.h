#pragma once

#include "base/clock.h"

namespace shopstream {

// SIGINT and SIGTERM request a clean stop; a second one stops the process immediately (exit 130).
// Call once, before other threads start.
void InstallShutdownHandlers();
bool ShutdownRequested();
void RequestShutdown();  // For tests, and for parts that decide to stop the program.

// While one lives, SIGINT (Ctrl-C) requests no stop: its owner asks for it. SIGTERM still requests
// one. At most one at a time.
class InterruptScope {
 public:
  InterruptScope();
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;
  // Whether SIGINT has come since the last call.
  bool Take();
};

// How long orderly work may continue after a stop was requested; 3 s unless set. Code that waits
// for a server asks ShutdownOverdue, and gives up once it is true: a server that hangs must not
// keep the program.
void SetShutdownGrace(Millis grace);
bool ShutdownOverdue();

// Sleeps until the pause is over or a stop is requested; returns true for a stop.
bool SleepUnlessShutdown(Millis pause);

}  // namespace shopstream
