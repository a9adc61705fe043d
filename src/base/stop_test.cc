#include "base/stop.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/testing.h"

namespace shopstream {
namespace {

using testing::StoppedClock;

TEST(StopTest, ATokenOfNobodyNeverStopsAndItsWaitLastsToTheEnd) {
  StoppedClock clock;
  const StopToken never;
  EXPECT_FALSE(never.requested());
  EXPECT_FALSE(never.WaitFor(Millis{500}));
  EXPECT_EQ(BootClock::time_point{} + Millis{500}, clock.now);
}

TEST(StopTest, ARequestIsForGoodAndForEveryToken) {
  StopSource source;
  const StopToken one(&source), other(&source);
  EXPECT_FALSE(one.requested());
  source.Request();
  EXPECT_TRUE(one.requested());
  EXPECT_TRUE(other.requested());
  EXPECT_TRUE(other.WaitFor(Millis{3'600'000})) << "does not wait at all";
}

TEST(StopTest, ARequestWakesWhoeverWaits) {
  StopSource source;
  bool stopped = false;
  std::thread waiter([&] { stopped = StopToken(&source).WaitFor(Millis{3'600'000}); });
  source.Request();
  waiter.join();
  EXPECT_TRUE(stopped);
}

TEST(StopTest, AFunctionIsAskedWhileWaiting) {
  StoppedClock clock;
  const StopToken token([&] { return clock.now >= BootClock::time_point{} + Millis{200}; });
  EXPECT_FALSE(token.requested());
  EXPECT_TRUE(token.WaitFor(Millis{60'000}));
  EXPECT_LE(clock.now, BootClock::time_point{} + Millis{250});
}

}  // namespace
}  // namespace shopstream
