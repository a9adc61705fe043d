#include "console/daily_balance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "refine/bronze_testing.h"

namespace shopstream::console {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr char kDay[] = "2025-10-24", kDayBefore[] = "2025-10-23";

// Ten rows of a day, all decided: seven in Silver, two rejected, one a duplicate.
BalanceInput Closed() {
  BalanceInput input;
  input.bronze.all = {{kDay, 10}};
  input.bronze.foreign = {{kDay, 0}};
  input.decided = input.bronze;
  input.silver = {{kDay, 7}};
  input.rejects = {{kDay, 3}};
  input.reasons = {{kDay, {{"quantity_range", 2}, {"duplicate", 1}}}};
  return input;
}

DayBalance OnlyDay(const BalanceInput& input) {
  const auto days = Balance(input);
  EXPECT_EQ(1U, days.size());
  return days.front();
}

TEST(DailyBalanceTest, ADayClosesIfEveryRowIsAccountedFor) {
  const DayBalance day = OnlyDay(Closed());
  EXPECT_EQ(10, day.bronze);
  EXPECT_EQ(7, day.silver);
  EXPECT_EQ(2, day.rejected);
  EXPECT_EQ(1, day.duplicates);
  EXPECT_EQ(0, day.not_refined);
  EXPECT_TRUE(day.closes());
}

TEST(DailyBalanceTest, WhatCameAfterTheLastPassIsNotRefinedYet) {
  BalanceInput input = Closed();
  input.bronze.all[kDay] = 15;
  const DayBalance day = OnlyDay(input);
  EXPECT_EQ(5, day.not_refined);
  EXPECT_TRUE(day.closes());
}

TEST(DailyBalanceTest, ALostRowIsADifferenceEvenWhileOthersWait) {
  BalanceInput input = Closed();
  input.bronze.all[kDay] = 15;
  input.silver[kDay] = 6;
  const DayBalance day = OnlyDay(input);
  EXPECT_EQ(5, day.not_refined);
  EXPECT_EQ(1, day.difference);
  EXPECT_FALSE(day.closes());
}

TEST(DailyBalanceTest, RowsWithoutCoordinatesBelongToNoPass) {
  BalanceInput input = Closed();
  input.bronze.all[kDay] = 12;
  input.bronze.foreign[kDay] = 2;
  const DayBalance day = OnlyDay(input);
  EXPECT_EQ(2, day.foreign);
  EXPECT_EQ(0, day.not_refined);
  EXPECT_TRUE(day.closes());
}

TEST(DailyBalanceTest, DuringABacklogADayMayBeUnknownButNeverHasTooManyRows) {
  BalanceInput input = Closed();
  input.decided.reset();
  input.decided_unknown = "a backlog";
  EXPECT_TRUE(OnlyDay(input).closes());
  input.bronze.all[kDay] = 15;
  EXPECT_EQ(5, OnlyDay(input).not_refined);
  EXPECT_FALSE(OnlyDay(input).difference);
  EXPECT_EQ("a backlog", OnlyDay(input).difference_unknown);
  input.bronze.all[kDay] = 8;
  EXPECT_EQ(-2, OnlyDay(input).difference);
}

TEST(DailyBalanceTest, RowsThatWereRemovedOnPurposeAreNoDifference) {
  BalanceInput input = Closed();
  input.bronze.all[kDay] = 4;
  EXPECT_THAT(OnlyDay(input).difference_unknown, HasSubstr("removed from Bronze"));
  input = Closed();
  input.silver[kDay] = 5;
  input.after_task = true;
  EXPECT_THAT(OnlyDay(input).difference_unknown, HasSubstr("a task"));
  input = Closed();
  input.horizon = "2025-10-25";
  EXPECT_TRUE(OnlyDay(input).expired);
  EXPECT_FALSE(OnlyDay(input).difference);
}

TEST(DailyBalanceTest, WhatNobodyCountedIsUnknownAndNotZero) {
  BalanceInput input = Closed();
  input.reasons.reset();
  EXPECT_FALSE(OnlyDay(input).duplicates);
  EXPECT_FALSE(OnlyDay(input).rejected);
  EXPECT_TRUE(OnlyDay(input).closes());
  input.silver[kDay].reset();
  EXPECT_FALSE(OnlyDay(input).difference);
}

TEST(DailyBalanceTest, DaysComeNewestFirstAndRowsWithoutADateLast) {
  BalanceInput input = Closed();
  input.bronze.all[kDayBefore] = 1;
  input.rejects[""] = 2;
  const auto days = Balance(input);
  ASSERT_EQ(3U, days.size());
  EXPECT_EQ(kDay, days[0].date);
  EXPECT_EQ(kDayBefore, days[1].date);
  EXPECT_EQ("", days[2].date);
}

TEST(DailyBalanceTest, TheLogHasTheNumbers) {
  refine::testing::Bronze bronze;
  bronze.Append({{.topic_id = "t", .offset = 0},
                 {.topic_id = "t", .offset = 1, .date = kDayBefore},
                 {.topic_id = "t", .offset = 2, .region = "US"}});
  bronze.AppendForeign({{.topic_id = ""}, {.topic_id = ""}});
  const BronzeRows rows = CountBronze(*bronze.snapshot(), ForeignRows);
  EXPECT_THAT(rows.all, ElementsAre(Pair(kDayBefore, 1), Pair(kDay, 4)));
  EXPECT_THAT(rows.foreign, ElementsAre(Pair(kDayBefore, 0), Pair(kDay, 2)));
  EXPECT_THAT(CountRows(*bronze.snapshot()), ElementsAre(Pair(kDayBefore, 1), Pair(kDay, 4)));
}

TEST(DailyBalanceTest, StatisticsThatDoNotCountAreUnknown) {
  DataFile file;
  for (const char* statistics : {"", "{}", "[", R"({"nullCount":{}})", R"({"nullCount":7})",
                                 R"({"nullCount":{"kafka_offset":"x"}})"}) {
    file.statistics = statistics;
    EXPECT_FALSE(ForeignRows(file)) << statistics;
  }
}

}  // namespace
}  // namespace shopstream::console
