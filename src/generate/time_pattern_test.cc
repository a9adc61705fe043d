#include "generate/time_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/format.h"

namespace shopstream::generate {
namespace {

using testing::HasSubstr;

std::string Clock(const std::string& pattern, const std::string& text) {
  const auto time = TimePattern::Compile(pattern).ValueOrDie().Parse(text);
  return time ? FormatTimestamp(time->clock_millis) : "no";
}

TEST(TimePattern, ReadsEveryField) {
  EXPECT_EQ(Clock("%m/%d/%Y %H:%M", "12/1/2010 8:26"), "2010-12-01T08:26:00.000Z");
  EXPECT_EQ(Clock("%d.%m.%y, %H:%M:%S", "24.10.25, 08:15:30"), "2025-10-24T08:15:30.000Z");
  EXPECT_EQ(Clock("%d %b %Y %I:%M %p", "3 Mar 2024 12:05 AM"), "2024-03-03T00:05:00.000Z");
  EXPECT_EQ(Clock("%b %d %Y %I%p", "September 30 1997 11pm"), "1997-09-30T23:00:00.000Z");
  EXPECT_EQ(Clock("%Y%m%d%H%M%S.%f", "20240301120000.1239"), "2024-03-01T12:00:00.123Z");
  EXPECT_EQ(Clock("100%% %y-%m-%d", "100% 69-01-02"), "1969-01-02T00:00:00.000Z");
}

TEST(TimePattern, ReadsOffsets) {
  const TimePattern pattern = TimePattern::Compile("%Y-%m-%d %z").ValueOrDie();
  const auto offset = [&](const std::string& text) {
    return pattern.Parse("2024-03-01 " + text)->offset_millis;
  };
  EXPECT_EQ(offset("Z"), 0);
  EXPECT_EQ(offset("+02:00"), 7'200'000);
  EXPECT_EQ(offset("-0330"), -12'600'000);
  EXPECT_EQ(offset("+09"), 32'400'000);
}

TEST(TimePattern, IsStrict) {
  for (const char* text :
       {"", "1/2/10 3:04", "13/1/2010 3:04", "2/30/2010 3:04", "1/2/2010 24:00", "1/2/2010 3:60",
        "1/2/2010 3:04 ", " 1/2/2010 3:04", "1/2/2010T3:04", "1-2-2010 3:04"}) {
    EXPECT_EQ(Clock("%m/%d/%Y %H:%M", text), "no") << text;
  }
}

TEST(TimePattern, WrongPatternsAreExplained) {
  const auto error = [](const std::string& pattern) {
    return TimePattern::Compile(pattern).status().message();
  };
  EXPECT_THAT(error("%Y-%m-%d %Q"), HasSubstr("unknown '%Q'"));
  EXPECT_THAT(error("%Y-%m-%d %"), HasSubstr("unknown '% '"));
  EXPECT_THAT(error("%m/%d"), HasSubstr("needs the year"));
  EXPECT_THAT(error("%Y-%d"), HasSubstr("needs the month"));
  EXPECT_THAT(error("%Y-%m"), HasSubstr("needs the day"));
  EXPECT_THAT(error("%Y-%m-%d %I"), HasSubstr("both %I and %p"));
  EXPECT_THAT(error("%Y-%m-%d %Y"), HasSubstr("%Y twice"));
}

}  // namespace
}  // namespace shopstream::generate
