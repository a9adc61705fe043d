#include "lake/delta/retention.h"

#include <gtest/gtest.h>

#include <chrono>

namespace shopstream::lake {
namespace {

constexpr int64_t kHour = 3600 * 1000;
constexpr int64_t kDay = 24 * kHour;

TEST(RetentionTest, IntervalsReadAsSparkReadsThem) {
  EXPECT_EQ(ParseInterval("interval 1 days"), kDay);
  EXPECT_EQ(ParseInterval("INTERVAL 60 DAYS"), 60 * kDay);
  EXPECT_EQ(ParseInterval("interval 1 weeks 53 days"), 60 * kDay);
  EXPECT_EQ(ParseInterval("  Interval\t2 hours  30 Minute"), 2 * kHour + 30 * 60 * 1000);
  EXPECT_EQ(ParseInterval("90 seconds"), 90'000);
  EXPECT_EQ(ParseInterval("interval 1.5 seconds"), 1500);
  EXPECT_EQ(ParseInterval("interval 3600000000 microseconds"), kHour);
  EXPECT_EQ(ParseInterval("interval 250 milliseconds"), 250);
  EXPECT_EQ(ParseInterval("interval 2 days - 1 hours"), 2 * kDay - kHour);
  EXPECT_EQ(ParseInterval("interval 2 days -1 hours"), 2 * kDay - kHour);
  EXPECT_EQ(ParseInterval("interval 0 hours"), 0);
  EXPECT_EQ(ParseInterval("interval 99999999999999999999 weeks"), kKeepForEverMs);
}

TEST(RetentionTest, WhatDeltaRefusesIsNoInterval) {
  for (const char* text :
       {"", "interval", "interval 1", "interval days", "interval 1 months", "interval 1 years",
        "interval 1 fortnights", "interval 1.5 days", "interval -1 days", "forever", "1d",
        "interval 1 days 2", "interval . seconds", "interval 1..5 seconds", "interval - days"}) {
    EXPECT_EQ(ParseInterval(text), std::nullopt) << text;
  }
}

TEST(RetentionTest, WhatIsNotUnderstoodMeansKeep) {
  EXPECT_EQ(IntervalMillis({{"p", "interval 1 months"}}, "p", kDay), kKeepForEverMs);
  EXPECT_EQ(IntervalMillis({}, "p", kDay), kDay);
  EXPECT_EQ(TombstoneRetentionMs({{"delta.deletedFileRetentionDuration", "?"}}), kKeepForEverMs);
}

TEST(RetentionTest, BooleansAreReadInAnyCase) {
  EXPECT_TRUE(PropertyIs({{"p", "TRUE"}}, "p", true));
  EXPECT_TRUE(PropertyIs({{"p", "False"}}, "p", false));
  EXPECT_FALSE(PropertyIs({{"p", "yes"}}, "p", true));
  EXPECT_FALSE(PropertyIs({}, "p", false));
}

TEST(RetentionTest, ACommitsFilesAreYoungerThanHalfOfWhatAVacuumSpares) {
  const auto age = [](const char* retention) {
    return MaxCommitAge({{"delta.deletedFileRetentionDuration", retention}});
  };
  EXPECT_EQ(*age("interval 1 hours"), std::chrono::minutes(30));
  EXPECT_EQ(*age("interval 30 days"), std::chrono::hours(12));
  EXPECT_EQ(*age("interval 1 months"), std::chrono::hours(12));
  EXPECT_EQ(*MaxCommitAge({}), std::chrono::hours(12));
  const auto refused = age("INTERVAL 5 SECONDS");
  ASSERT_TRUE(refused.status().IsInvalid());
  EXPECT_NE(refused.status().message().find("INTERVAL 5 SECONDS"), std::string::npos);
}

}  // namespace
}  // namespace shopstream::lake
