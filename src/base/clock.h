#pragma once

#include <chrono>
#include <cstdint>

namespace shopstream {

// For durations and deadlines. Uses CLOCK_BOOTTIME, which includes time when the machine was
// suspended, unlike std::chrono::steady_clock; fences depend on that.
struct BootClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept;
};

using Millis = std::chrono::milliseconds;

// Milliseconds since the Unix epoch, from the wall clock.
int64_t WallClockMillis();

}  // namespace shopstream
