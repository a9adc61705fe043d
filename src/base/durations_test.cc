#include "base/durations.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace shopstream {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(DurationsTest, QuantilesAreWithinThreePercent) {
  Durations durations;
  for (int64_t millis = 1; millis <= 100'000; ++millis) durations.Add(milliseconds(millis));
  for (double share : {0.01, 0.5, 0.9, 0.99, 1.0}) {
    const double exact = share * 100'000'000;
    const auto got = static_cast<double>(durations.Quantile(share).count());
    EXPECT_GE(got, exact) << share;
    EXPECT_LE(got, exact * 1.032) << share;
  }
}

TEST(DurationsTest, ABoundIsExactToThreePercent) {
  Durations durations;
  for (int64_t millis = 1; millis <= 1'000; ++millis) durations.Add(milliseconds(millis));
  EXPECT_EQ(0, durations.CountUpTo(microseconds(10)));
  EXPECT_NEAR(100, static_cast<double>(durations.CountUpTo(milliseconds(100))), 3);
  EXPECT_EQ(1'000, durations.CountUpTo(milliseconds(1'100)));
  EXPECT_DOUBLE_EQ(500.5, durations.sum_seconds());
}

TEST(DurationsTest, SmallValuesAreExact) {
  Durations durations;
  durations.Add(microseconds(0), 90);
  durations.Add(microseconds(31), 10);
  EXPECT_EQ(microseconds(0), durations.Quantile(.5));
  EXPECT_EQ(microseconds(31), durations.Quantile(.91));
  EXPECT_EQ(90, durations.CountUpTo(microseconds(30)));
  EXPECT_EQ(100, durations.CountUpTo(microseconds(31)));
  EXPECT_EQ(100, durations.count());
}

TEST(DurationsTest, TwoAddUp) {
  Durations first, second;
  first.Add(microseconds(5));
  second.Add(milliseconds(7), 3);
  first.Add(second);
  EXPECT_EQ(4, first.count());
  EXPECT_DOUBLE_EQ(.021005, first.sum_seconds());
  EXPECT_EQ(microseconds(5), first.Quantile(.25));
}

TEST(DurationsTest, NothingAndTheImpossibleDoNoHarm) {
  Durations durations;
  EXPECT_EQ(microseconds(0), durations.Quantile(.99));
  durations.Add(microseconds(-5));
  EXPECT_EQ(microseconds(0), durations.Quantile(1));
  durations.Add(microseconds(INT64_MAX));
  EXPECT_GT(durations.Quantile(1).count(), int64_t{1} << 40);
}

}  // namespace
}  // namespace shopstream
