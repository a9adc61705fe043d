#include "produce/progress.h"

#include <gtest/gtest.h>

namespace shopstream::produce {
namespace {

TEST(Progress, SaysRateAcknowledgedAndErrors) {
  EXPECT_EQ(FormatProgress({.queued = 1'234'567, .acknowledged = 1'200'000, .first_error = ""},
                           361'203.7),
            "1,234,567 events, 361,204/s, acknowledged 1,200,000, in flight 34,567, errors 0");
}

TEST(Progress, SaysWhyTheFirstFailed) {
  EXPECT_EQ(FormatProgress({.queued = 3, .acknowledged = 1, .failed = 2, .first_error = "down"}, 0),
            "3 events, 0/s, acknowledged 1, in flight 0, errors 2 (down)");
}

TEST(Progress, ShowsNothingWhenSilent) {
  const BootClock::time_point start{};
  EXPECT_FALSE(ProgressDisplay(true, start).IsDue(start + std::chrono::hours{1}));
  EXPECT_TRUE(ProgressDisplay(false, start).IsDue(start + std::chrono::hours{1}));
}

}  // namespace
}  // namespace shopstream::produce
