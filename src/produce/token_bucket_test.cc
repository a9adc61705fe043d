#include "produce/token_bucket.h"

#include <gtest/gtest.h>

namespace shopstream::produce {
namespace {

using std::chrono::duration_cast;

BootClock::time_point At(int64_t millis) { return BootClock::time_point{Millis{millis}}; }

TEST(TokenBucket, StartsWithOneToken) {
  TokenBucket bucket(100, At(0));
  EXPECT_EQ(bucket.Take(10, At(0)), 1);
  EXPECT_EQ(bucket.Take(10, At(0)), 0);
}

TEST(TokenBucket, KeepsTheRate) {
  TokenBucket bucket(1000, At(0));
  int64_t taken = 0;
  for (int64_t now = 0; now <= 10'000; now += 7) taken += bucket.Take(1'000'000, At(now));
  EXPECT_NEAR(taken, 10'000, 10);
}

TEST(TokenBucket, CatchesUpByHalfASecondOnly) {
  TokenBucket bucket(1000, At(0));
  EXPECT_EQ(bucket.Take(1'000'000, At(60'000)), 500);
}

TEST(TokenBucket, RatesBelowOneASecondWork) {
  TokenBucket bucket(0.1, At(0));
  EXPECT_EQ(bucket.Take(5, At(0)), 1);
  EXPECT_EQ(bucket.Take(5, At(9'000)), 0);
  EXPECT_EQ(bucket.Take(5, At(10'001)), 1);
}

TEST(TokenBucket, TellsHowLongToWait) {
  TokenBucket bucket(100, At(0));
  EXPECT_EQ(bucket.UntilAvailable(1, At(0)).count(), 0);
  bucket.Take(1, At(0));
  const BootClock::duration wait = bucket.UntilAvailable(3, At(0));
  EXPECT_NEAR(duration_cast<std::chrono::microseconds>(wait).count(), 30'000, 1);
  EXPECT_EQ(bucket.Take(3, At(0) + wait), 3);
}

TEST(TokenBucket, NeverWaitsForMoreThanItKeeps) {
  TokenBucket bucket(10, At(0));
  EXPECT_LE(bucket.UntilAvailable(1'000, At(0)), Millis{501});
}

}  // namespace
}  // namespace shopstream::produce
