#include "observe/lag_rates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace shopstream::observe {
namespace {

using std::chrono::seconds;
using testing::Optional;

constexpr BootClock::time_point kStart{seconds{1000}};

TEST(RateWindow, NeedsTwoMoments) {
  RateWindow window;
  EXPECT_EQ(window.rates().in, std::nullopt);
  window.Add(kStart, 100, 50);
  EXPECT_EQ(window.rates().out, std::nullopt);
  window.Add(kStart, 100, 50);  // At the same time.
  EXPECT_EQ(window.rates().in, std::nullopt);
}

TEST(RateWindow, CountsOffsetsPerSecond) {
  RateWindow window;
  window.Add(kStart, 100, 50);
  window.Add(kStart + seconds{5}, 600, 50);
  window.Add(kStart + seconds{10}, 1100, 250);
  EXPECT_THAT(window.rates().in, Optional(100));
  EXPECT_THAT(window.rates().out, Optional(20));
}

TEST(RateWindow, ForgetsWhatIsOlderThanAMinute) {
  RateWindow window;
  for (int i = 0; i <= 60; ++i) window.Add(kStart + seconds{i}, 1000 * i, 1000 * i);
  for (int i = 61; i <= 120; ++i) window.Add(kStart + seconds{i}, 1000 * i, 60'000);
  EXPECT_THAT(window.rates().in, Optional(1000));
  EXPECT_THAT(window.rates().out, Optional(0));
}

TEST(RateWindow, KeepsTheMomentBeforeALongPause) {
  RateWindow window;
  window.Add(kStart, 0, 0);
  window.Add(kStart + seconds{600}, 6000, 3000);
  EXPECT_THAT(window.rates().in, Optional(10));
}

TEST(RateWindow, BeginsAgainWithAnotherLog) {
  RateWindow window;
  window.Add(kStart, 5000, 5000);
  window.Add(kStart + seconds{1}, 10, 0);  // The topic was created again.
  EXPECT_EQ(window.rates().in, std::nullopt);
  window.Add(kStart + seconds{2}, 20, 5);
  EXPECT_THAT(window.rates().in, Optional(10));
  window.Clear();
  EXPECT_EQ(window.rates().in, std::nullopt);
}

TEST(SecondsToClear, IsTheLagByTheDifferenceOfTheRates) {
  EXPECT_THAT(SecondsToClear(10'000, {.in = 100, .out = 300}), Optional(50));
  EXPECT_THAT(SecondsToClear(10'000, {.in = 0, .out = 100}), Optional(100));
}

TEST(SecondsToClear, IsZeroWithoutLagWhateverTheRatesAre) {
  EXPECT_THAT(SecondsToClear(0, {}), Optional(0));
  EXPECT_THAT(SecondsToClear(0, {.in = 5, .out = 0}), Optional(0));
}

TEST(SecondsToClear, IsNeverIfAsMuchArrivesAsIsTaken) {
  EXPECT_THAT(SecondsToClear(100'000, {.in = 100, .out = 100}), Optional(testing::Gt(1e300)));
  EXPECT_TRUE(std::isinf(SecondsToClear(1, {.in = 0, .out = 0}).value()));
}

TEST(SecondsToClear, OfWhatWaitsForItsCutIsTheTimeOfItsCut) {
  EXPECT_THAT(SecondsToClear(500, {.in = 1000, .out = 1000}), Optional(.5));
  EXPECT_THAT(SecondsToClear(500, {.in = 1010, .out = 1000}), Optional(.5));
}

TEST(SecondsToClear, IsUnknownWithoutRates) {
  EXPECT_EQ(SecondsToClear(5, {}), std::nullopt);
  EXPECT_EQ(SecondsToClear(5, {.in = 5, .out = {}}), std::nullopt);
}

}  // namespace
}  // namespace shopstream::observe
