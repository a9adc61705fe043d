#include "base/clock.h"

#include <time.h>

#include "base/runtime.h"

namespace shopstream {

BootClock::time_point BootClock::now() noexcept {
  if (Runtime* const simulated = Runtime::Simulated()) [[unlikely]] {
    return simulated->Now();
  }
  timespec t{};
  clock_gettime(CLOCK_BOOTTIME, &t);
  return time_point(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
}

int64_t WallClockMillis() {
  if (Runtime* const simulated = Runtime::Simulated()) [[unlikely]] {
    return simulated->WallClockMillis();
  }
  timespec t{};
  clock_gettime(CLOCK_REALTIME, &t);
  return int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1'000'000;
}

}  // namespace shopstream
