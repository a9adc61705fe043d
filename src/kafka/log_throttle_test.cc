#include "kafka/log_throttle.h"

#include <gtest/gtest.h>

namespace shopstream::kafka {
namespace {

using std::chrono::seconds;

TEST(LogThrottle, OneLineOfAKindPerInterval) {
  LogThrottle throttle(Millis{30000});
  const BootClock::time_point start{};
  EXPECT_EQ(0, throttle.Pass("ERROR", "[thrd:a]: 0/1 brokers are down", start));
  EXPECT_EQ(std::nullopt, throttle.Pass("ERROR", "[thrd:a]: 1/1 brokers are down", start));
  EXPECT_EQ(std::nullopt, throttle.Pass("ERROR", "[thrd:a]: again", start + seconds(29)));
  EXPECT_EQ(2, throttle.Pass("ERROR", "[thrd:a]: again", start + seconds(30)));
  EXPECT_EQ(0, throttle.Pass("ERROR", "[thrd:a]: again", start + seconds(60)));
}

TEST(LogThrottle, OtherConnectionsAndFacilitiesAreOtherKinds) {
  LogThrottle throttle(Millis{30000});
  const BootClock::time_point start{};
  EXPECT_EQ(0, throttle.Pass("ERROR", "[thrd:a]: down", start));
  EXPECT_EQ(0, throttle.Pass("ERROR", "[thrd:b]: down", start));
  EXPECT_EQ(0, throttle.Pass("FAIL", "[thrd:a]: refused", start));
}

}  // namespace
}  // namespace shopstream::kafka
