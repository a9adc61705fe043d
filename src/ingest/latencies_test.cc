#include "ingest/latencies.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace shopstream::ingest {
namespace {

TEST(LatenciesTest, QuantilesAreWithinThreePercent) {
  Latencies latencies;
  for (int64_t millis = 1; millis <= 100'000; ++millis) latencies.Add(millis);
  for (double share : {0.01, 0.5, 0.9, 0.99, 1.0}) {
    const double exact = share * 100'000;
    const double got = static_cast<double>(latencies.Quantile(share));
    EXPECT_GE(got, exact) << share;
    EXPECT_LE(got, exact * 1.032) << share;
  }
}

TEST(LatenciesTest, SmallValuesAreExact) {
  Latencies latencies;
  latencies.Add(0, 90);
  latencies.Add(31, 10);
  EXPECT_EQ(latencies.Quantile(.5), 0);
  EXPECT_EQ(latencies.Quantile(.91), 31);
  EXPECT_EQ(latencies.count(), 100);
}

TEST(LatenciesTest, NothingAndTheImpossibleDoNoHarm) {
  Latencies latencies;
  EXPECT_EQ(latencies.Quantile(.99), 0);
  latencies.Add(-5);
  EXPECT_EQ(latencies.Quantile(1), 0);
  latencies.Add(INT64_MAX);
  EXPECT_GT(latencies.Quantile(1), int64_t{1} << 35);
}

}  // namespace
}  // namespace shopstream::ingest
