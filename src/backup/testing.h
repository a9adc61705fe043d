#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.h"
#include "base/runtime.h"

namespace shopstream::backup::testing {

// The operating system's clock, which jumps as it does for a process that was suspended.
class JumpingClock : public Runtime {
 public:
  BootClock::time_point Now() override {
    const InReality real;
    return BootClock::now() + jumped_;
  }
  int64_t WallClockMillis() override {
    const InReality real;
    return shopstream::WallClockMillis();
  }
  uint64_t RandomBits() override { return ++random_; }
  void WaitOn(const void*, BootClock::time_point) override { jumped_ += Millis{1}; }
  void WakeAll(const void*) override {}
  int64_t StartThread(std::function<void()> body) override {
    body();
    return 0;
  }
  void JoinThread(int64_t) override {}
  void Jump(Millis by) { jumped_ += by; }

  // Within its scope, the thread has the operating system's clock and threads.
  class InReality {
   public:
    InReality() { Runtime::Simulate(nullptr); }
    ~InReality() { Runtime::Simulate(before_); }

   private:
    Runtime* const before_ = Runtime::Simulated();
  };

 private:
  Millis jumped_{0};
  uint64_t random_ = 0;
};

}  // namespace shopstream::backup::testing
