#include "base/probes.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/metrics_testing.h"
#include "base/shutdown.h"
#include "base/testing.h"

namespace shopstream {
namespace {

TEST(ProbesTest, AProcessIsLiveWhileItsLoopBeats) {
  testing::StoppedClock clock;
  Probes probes;
  clock.now += Probes::kStalledAfter - std::chrono::seconds{1};
  EXPECT_EQ("", probes.WhyNotLive(clock.now));
  clock.now += std::chrono::seconds{11};
  EXPECT_EQ("the main loop has not come round for 130 s; the limit is 120 s",
            probes.WhyNotLive(clock.now));
  probes.Beat();
  EXPECT_EQ("", probes.WhyNotLive(clock.now));
}

TEST(ProbesTest, AProcessIsReadyOnceItSaysSo) {
  const double others = testing::PageValue("shopstream_ready");  // Those of other tests.
  Probes probes;
  EXPECT_EQ("starting", probes.WhyNotReady());
  EXPECT_EQ(others, testing::PageValue("shopstream_ready"));
  probes.SetUnready("");
  EXPECT_EQ("", probes.WhyNotReady());
  EXPECT_EQ(others + 1, testing::PageValue("shopstream_ready"));
  probes.SetUnready("no broker answers");
  EXPECT_EQ("no broker answers", probes.WhyNotReady());
}

// In a process of its own: a request to stop stays.
TEST(ProbesDeathTest, AProcessThatStopsIsNotReadyInItsMetricsEither) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Probes probes;
        probes.SetUnready("");
        const double before = testing::PageValue("shopstream_ready");
        RequestShutdown();
        std::exit(before == 1 && testing::PageValue("shopstream_ready") == 0 ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace shopstream
