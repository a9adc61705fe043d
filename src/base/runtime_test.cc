#include "base/runtime.h"

#include <gtest/gtest.h>

#include "base/testing.h"

namespace shopstream {
namespace {

using testing::StoppedClock;

TEST(RuntimeTest, ASimulationDecidesWhatTimeAndChanceAre) {
  const StoppedClock clock;
  EXPECT_EQ(BootClock::time_point{}, BootClock::now());
  EXPECT_EQ(4711, WallClockMillis());
  EXPECT_EQ(42, RandomBits());
}

TEST(RuntimeTest, WithoutASimulationTimePassesAndChanceDiffers) {
  const auto before = BootClock::now();
  Sleep(Millis{2});
  EXPECT_GE(BootClock::now() - before, Millis{2});
  EXPECT_NE(RandomBits(), RandomBits());
}

TEST(RuntimeTest, ASleepEndsWithinFiftyMillisecondsOfAStop) {
  StoppedClock clock;
  EXPECT_FALSE(SleepUnless([] { return false; }, Millis{120}));
  EXPECT_EQ(BootClock::time_point{} + Millis{120}, clock.now);
  const auto stop_at = clock.now + Millis{60};
  EXPECT_TRUE(SleepUnless([&] { return clock.now >= stop_at; }, Millis{1000}));
  EXPECT_LE(clock.now, stop_at + Millis{50});
}

TEST(RuntimeTest, ASignalIsHeardAndATimeoutPasses) {
  StoppedClock clock;
  std::mutex mutex;
  Signal signal;
  bool ready = false;
  std::unique_lock lock(mutex);
  EXPECT_FALSE(signal.WaitFor(&lock, Millis{30}, [&] { return ready; }));
  EXPECT_EQ(BootClock::time_point{} + Millis{30}, clock.now);
  clock.on_wait = [&] {
    // The lock is free while its holder waits.
    const std::lock_guard held(mutex);
    ready = true;
    signal.NotifyAll();
  };
  signal.Wait(&lock, [&] { return ready; });
  EXPECT_EQ(1, clock.wakes);
  EXPECT_TRUE(lock.owns_lock());
}

TEST(RuntimeTest, ASignalWakesARealThread) {
  std::mutex mutex;
  Signal signal;
  bool asked = false, answered = false;
  Thread thread([&] {
    std::unique_lock lock(mutex);
    signal.Wait(&lock, [&] { return asked; });
    answered = true;
    signal.NotifyAll();
  });
  {
    std::unique_lock lock(mutex);
    asked = true;
    signal.NotifyAll();
    EXPECT_TRUE(signal.WaitFor(&lock, Millis{60'000}, [&] { return answered; }));
  }
  thread.join();
  EXPECT_FALSE(thread.joinable());
}

TEST(RuntimeTest, ThreadsOfASimulationAreItsOwn) {
  StoppedClock clock;
  bool ran = false;
  Thread thread([&] { ran = true; });
  EXPECT_TRUE(ran);
  EXPECT_TRUE(thread.joinable());
  thread.join();
  EXPECT_FALSE(thread.joinable());
  EXPECT_EQ(std::set<int64_t>{7}, clock.joined);
}

}  // namespace
}  // namespace shopstream
