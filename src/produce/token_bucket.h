#pragma once

#include <cstdint>

#include "base/clock.h"

namespace shopstream::produce {

// Keeps a stream at a rate: tokens are added evenly, and at most half a second's worth is kept, so
// that the stream catches up after a stall, but never with a larger burst.
class TokenBucket {
 public:
  // Tokens per second, > 0.
  TokenBucket(double rate, BootClock::time_point now);
  // Takes up to `wanted` tokens, as many as are available.
  int64_t Take(int64_t wanted, BootClock::time_point now);
  // Time until `wanted` tokens are available, or as many as can be kept, if that is fewer.
  BootClock::duration UntilAvailable(int64_t wanted, BootClock::time_point now) const;

 private:
  double TokensAt(BootClock::time_point now) const;

  double rate_;
  double capacity_;
  double tokens_ = 1;  // The first event does not wait.
  BootClock::time_point filled_at_;
};

}  // namespace shopstream::produce
