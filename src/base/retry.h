#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace shopstream {

// Exponential back-off with full jitter and a limit.
struct BackoffOptions {
  Millis first{100};
  Millis longest{5000};
  Millis give_up_after{30000};  // Since the first failure; no pause reaches past it.
};

class Backoff {
 public:
  explicit Backoff(BackoffOptions options, uint64_t seed = 0);  // seed 0: random
  // The pause before the next try, or nothing once the limit is reached.
  std::optional<Millis> Next(BootClock::time_point now);
  void Reset();  // After a success.

 private:
  BackoffOptions options_;
  uint64_t random_state_;
  int failures_ = 0;
  std::optional<BootClock::time_point> first_failure_;
};

}  // namespace shopstream
