#pragma once

#include <chrono>
#include <cstdint>

namespace shopstream {

// For durations and deadlines. CLOCK_BOOTTIME: it counts the time a process or machine was
// suspended, which std::chrono::steady_clock does not, and which fences must not miss.
struct BootClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept;
};

using Millis = std::chrono::milliseconds;

// Milliseconds since the Unix epoch, by the wall clock.
int64_t WallClockMillis();

}  // namespace shopstream
