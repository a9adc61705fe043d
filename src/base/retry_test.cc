#include "base/retry.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace shopstream {
namespace {

constexpr BootClock::time_point kStart{std::chrono::hours(1)};

TEST(Backoff, CeilingDoublesUpToTheLongest) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Backoff backoff({Millis{100}, Millis{400}, Millis{60000}}, seed);
    for (int64_t ceiling : {100, 200, 400, 400, 400}) {
      const auto pause = backoff.Next(kStart);
      ASSERT_TRUE(pause);
      EXPECT_GE(pause->count(), 1);
      EXPECT_LE(pause->count(), ceiling);
    }
  }
}

TEST(Backoff, DrawsFromTheWholeRange) {
  int64_t least = 1000, most = 0;
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    const int64_t pause =
        Backoff({Millis{1000}, Millis{1000}, Millis{60000}}, seed).Next(kStart)->count();
    least = std::min(least, pause);
    most = std::max(most, pause);
  }
  EXPECT_LT(least, 50);
  EXPECT_GT(most, 950);
}

TEST(Backoff, EndsWhenTheTimeIsUp) {
  Backoff backoff({Millis{100}, Millis{5000}, Millis{1000}}, 1);
  EXPECT_TRUE(backoff.Next(kStart));
  const auto last = backoff.Next(kStart + Millis{990});
  ASSERT_TRUE(last);
  EXPECT_LE(last->count(), 10) << "no pause is handed out past the end";
  EXPECT_FALSE(backoff.Next(kStart + Millis{1000}));
  EXPECT_FALSE(backoff.Next(kStart + std::chrono::hours(1)));
}

TEST(Backoff, StartsAgainAfterASuccess) {
  Backoff backoff({Millis{100}, Millis{5000}, Millis{1000}}, 1);
  backoff.Next(kStart);
  EXPECT_FALSE(backoff.Next(kStart + Millis{2000}));
  backoff.Reset();
  const auto pause = backoff.Next(kStart + Millis{3000});
  ASSERT_TRUE(pause);
  EXPECT_LE(pause->count(), 100);
}

}  // namespace
}  // namespace shopstream
