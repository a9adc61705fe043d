#pragma once

#include <cstdint>
#include <functional>
#include <set>

#include "base/runtime.h"

namespace shopstream::testing {

// Time advances only during waits. One per thread at a time.
class StoppedClock : public Runtime {
 public:
  StoppedClock() { Simulate(this); }
  ~StoppedClock() override { Simulate(nullptr); }

  BootClock::time_point Now() override { return now; }
  int64_t WallClockMillis() override { return 4711; }
  uint64_t RandomBits() override { return next_bits++; }
  void WaitOn(const void*, BootClock::time_point deadline) override {
    ++waits;
    if (on_wait) on_wait();
    now = deadline;
  }
  void WakeAll(const void*) override { ++wakes; }
  int64_t StartThread(std::function<void()> body) override {
    body();
    return 7;
  }
  void JoinThread(int64_t number) override { joined.insert(number); }

  BootClock::time_point now{};
  uint64_t next_bits = 42;
  int waits = 0, wakes = 0;
  std::function<void()> on_wait;
  std::set<int64_t> joined;
};

}  // namespace shopstream::testing
