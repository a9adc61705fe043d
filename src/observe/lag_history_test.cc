#include "observe/lag_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace shopstream::observe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const LagKey kFirst{"group", "purchases", 0};

LagPoint Lag(int64_t second, int64_t records) { return {.second = second, .records = records}; }

TEST(LagHistory, ReturnsEachSecondThatHasAPoint) {
  LagHistory history;
  EXPECT_TRUE(history.Add(kFirst, Lag(1000, 5)));
  EXPECT_TRUE(history.Add(kFirst, Lag(1005, 0)));
  EXPECT_TRUE(history.Add(kFirst, Lag(1010, 7)));
  EXPECT_THAT(history.Seconds(kFirst, 0), ElementsAre(Lag(1000, 5), Lag(1005, 0), Lag(1010, 7)));
  EXPECT_THAT(history.Seconds(kFirst, 1005), ElementsAre(Lag(1005, 0), Lag(1010, 7)));
  EXPECT_THAT(history.Seconds({"group", "purchases", 1}, 0), IsEmpty());
}

TEST(LagHistory, ALaterPointOfTheSameSecondReplacesTheEarlierOne) {
  LagHistory history;
  history.Add(kFirst, Lag(10, 5));
  history.Add(kFirst, Lag(10, 6));
  EXPECT_THAT(history.Seconds(kFirst, 0), ElementsAre(Lag(10, 6)));
}

TEST(LagHistory, DropsAPointThatIsOlderThanTheNewest) {
  LagHistory history;
  history.Add(kFirst, Lag(10, 5));
  EXPECT_FALSE(history.Add(kFirst, Lag(9, 6)));
  EXPECT_THAT(history.Seconds(kFirst, 0), ElementsAre(Lag(10, 5)));
}

TEST(LagHistory, KeepsAnHourOfSecondsAndADayOfMinutes) {
  LagHistory history;
  const int64_t day = LagHistory::kMinutes * 60;
  for (int64_t second = 0; second <= 2 * day; second += 30)
    history.Add(kFirst, Lag(second, second));
  const auto seconds = history.Seconds(kFirst, 0);
  ASSERT_EQ(seconds.size(), LagHistory::kSeconds / 30);
  EXPECT_EQ(seconds.front(), Lag(2 * day - LagHistory::kSeconds + 30, 2 * day - 3570));
  EXPECT_EQ(seconds.back(), Lag(2 * day, 2 * day));
  const auto minutes = history.Minutes(kFirst, 0);
  ASSERT_EQ(minutes.size(), static_cast<size_t>(LagHistory::kMinutes));
  EXPECT_EQ(minutes.front().second, day + 60);
  EXPECT_EQ(minutes.back().second, 2 * day);
}

TEST(LagHistory, APauseLeavesNoOldPointsBehind) {
  LagHistory history;
  for (int64_t second = 0; second < 100; ++second) history.Add(kFirst, Lag(second, 1));
  history.Add(kFirst, Lag(LagHistory::kSeconds + 50, 2));  // Takes the place of second 50.
  const auto seconds = history.Seconds(kFirst, 0);
  ASSERT_EQ(seconds.size(), 50U);  // 51 to 99, and the new one.
  EXPECT_EQ(seconds.front().second, 51);
  history.Add(kFirst, Lag(1'000'000, 3));
  EXPECT_THAT(history.Seconds(kFirst, 0), ElementsAre(Lag(1'000'000, 3)));
  EXPECT_EQ(history.Minutes(kFirst, 0).size(), 1U);
}

TEST(LagHistory, AMinuteHasItsGreatestLagAndItsMeanRates) {
  LagHistory history;
  history.Add(kFirst, {.second = 60, .records = 5, .seconds = 2, .in_rate = 10, .out_rate = 0});
  history.Add(kFirst, {.second = 70, .records = 9, .seconds = 4, .in_rate = 20, .out_rate = -1});
  history.Add(kFirst, {.second = 119, .records = 1, .seconds = -1, .in_rate = 30, .out_rate = 4});
  history.Add(kFirst, Lag(120, 0));
  EXPECT_THAT(
      history.Minutes(kFirst, 0),
      ElementsAre(LagPoint{.second = 60, .records = 9, .seconds = 4, .in_rate = 20, .out_rate = 2},
                  Lag(120, 0)));
}

TEST(LagHistory, IsBoundedInPartitionsAndMemory) {
  LagHistory history;
  const auto key = [](int32_t partition) {
    return LagKey{std::string(200, 'g'), std::string(249, 't'), partition};
  };
  const auto most = static_cast<int32_t>(LagHistory::kMostPartitions);
  for (int32_t p = 0; p < most; ++p)
    ASSERT_TRUE(history.Add(key(p), Lag(1000 + (p == 7 ? 0 : 1), 1)));
  EXPECT_FALSE(history.Add(key(most), Lag(1001, 1)));
  EXPECT_LT(history.memory_bytes(), 64 << 20);
  EXPECT_GT(history.memory_bytes(), 40 << 20);
  // The one without a point for the longest time gives way, after a minute.
  EXPECT_TRUE(history.Add(key(most), Lag(1060, 1)));
  EXPECT_THAT(history.Seconds(key(7), 0), IsEmpty());
  EXPECT_EQ(history.keys().size(), LagHistory::kMostPartitions);
  EXPECT_FALSE(history.Add(key(most + 1), Lag(1060, 1)));
}

}  // namespace
}  // namespace shopstream::observe
