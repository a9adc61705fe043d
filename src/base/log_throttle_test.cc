#include "base/log_throttle.h"

#include <gtest/gtest.h>

namespace shopstream {
namespace {

using std::chrono::seconds;

constexpr Millis kNoHold{0};
constexpr Millis kHold{5000};

TEST(LogThrottle, OneLineOfAKindPerInterval) {
  LogThrottle throttle(Millis{30000});
  const BootClock::time_point start{};
  EXPECT_EQ(0, throttle.Pass("a", kNoHold, start));
  EXPECT_EQ(std::nullopt, throttle.Pass("a", kNoHold, start));
  EXPECT_EQ(std::nullopt, throttle.Pass("a", kNoHold, start + seconds(29)));
  EXPECT_EQ(2, throttle.Pass("a", kNoHold, start + seconds(30)));
  EXPECT_EQ(0, throttle.Pass("a", kNoHold, start + seconds(60)));
}

TEST(LogThrottle, TheCountOutlivesAKindThatIsOver) {
  LogThrottle throttle(Millis{30000});
  const BootClock::time_point start{};
  EXPECT_EQ(0, throttle.Pass("a", kNoHold, start));
  EXPECT_EQ(std::nullopt, throttle.Pass("a", kNoHold, start + seconds(1)));
  EXPECT_EQ(std::nullopt, throttle.Pass("a", kNoHold, start + seconds(2)));
  EXPECT_EQ(2, throttle.Pass("a", kNoHold, start + seconds(600)));
  EXPECT_EQ(0, throttle.Pass("a", kNoHold, start + seconds(1200)));
}

TEST(LogThrottle, KindsAreIndependent) {
  LogThrottle throttle(Millis{30000});
  const BootClock::time_point start{};
  EXPECT_EQ(0, throttle.Pass("a", kNoHold, start));
  EXPECT_EQ(0, throttle.Pass("b", kNoHold, start));
}

TEST(LogThrottle, WhatCuresItselfIsNeverShown) {
  LogThrottle throttle(Millis{30000});
  const BootClock::time_point start{};
  EXPECT_EQ(std::nullopt, throttle.Pass("a", kHold, start));
  EXPECT_EQ(std::nullopt, throttle.Pass("a", kHold, start + seconds(4)));
  // It is over; the next one starts a new period.
  EXPECT_EQ(std::nullopt, throttle.Pass("a", kHold, start + seconds(60)));
}

TEST(LogThrottle, WhatLastsIsShownWithItsCount) {
  LogThrottle throttle(Millis{30000});
  const BootClock::time_point start{};
  EXPECT_EQ(std::nullopt, throttle.Pass("a", kHold, start));
  EXPECT_EQ(std::nullopt, throttle.Pass("a", kHold, start + seconds(1)));
  EXPECT_EQ(2, throttle.Pass("a", kHold, start + seconds(11)));
  EXPECT_EQ(std::nullopt, throttle.Pass("a", kHold, start + seconds(21)));
}

TEST(KindOfLine, DurationsAndMadeUpNamesAreTheSameKind) {
  EXPECT_EQ(KindOfLine("cannot create /l/.tmp/7f3a9c2e-11d0-4c: full. Retrying in 212 ms."),
            KindOfLine("cannot create /l/.tmp/0b8d72aa-9e41-77: full. Retrying in 4096 ms."));
  EXPECT_EQ("no answer within * s", KindOfLine("no answer within 10 s"));
}

TEST(KindOfLine, OtherNumbersAndNamesMakeAnotherKind) {
  EXPECT_NE(KindOfLine("partition 1 is paused"), KindOfLine("partition 2 is paused"));
  EXPECT_NE(KindOfLine("127.0.0.1:9094 refused"), KindOfLine("127.0.0.1:9095 refused"));
  EXPECT_EQ("a bad cafe of 12 sheep", KindOfLine("a bad cafe of 12 sheep"));
  EXPECT_EQ("", KindOfLine(""));
}

}  // namespace
}  // namespace shopstream
