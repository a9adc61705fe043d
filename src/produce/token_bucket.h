#pragma once

#include <cstdint>

#include "base/clock.h"

namespace shopstream::produce {

// Keeps a stream at a rate: tokens drip in evenly, and half a second's worth is kept at most, so
// that a stall is caught up with, but never by a burst of more than that.
class TokenBucket {
 public:
  // Tokens a second, > 0.
  TokenBucket(double rate, BootClock::time_point now);
  // Up to `wanted` tokens, as many as there are.
  int64_t Take(int64_t wanted, BootClock::time_point now);
  // How long until there are `wanted` tokens, at most as many as are ever kept.
  BootClock::duration UntilAvailable(int64_t wanted, BootClock::time_point now) const;

 private:
  double TokensAt(BootClock::time_point now) const;

  double rate_;
  double capacity_;
  double tokens_ = 1;  // The first event need not wait.
  BootClock::time_point filled_at_;
};

}  // namespace shopstream::produce
