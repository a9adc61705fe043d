#include "base/time_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace shopstream {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kHour = 3600;
// Local midnight of a few days, as seconds since 1970.
constexpr int64_t kMarch31Of2024 = 1'711'843'200, kOctober27Of2024 = 1'729'987'200;

int64_t Utc(const std::string& zone, int64_t local) {
  return TimeZone::Load(zone).ValueOrDie().ToUtc(local);
}

// A zone file without transitions, which leaves everything to the rule.
std::string FileOf(const std::string& rule) {
  const auto number = [](int value) { return std::string{0, 0, 0, static_cast<char>(value)}; };
  std::string header = "TZif2" + std::string(15, '\0');
  for (const int count : {0, 0, 0, 0, 1, 4}) header += number(count);
  const std::string type = number(0) + std::string(2, '\0'), letters = std::string("LMT\0", 4);
  return header + type + letters + header + type + letters + "\n" + rule + "\n";
}

int64_t ByRule(const std::string& rule, int64_t local) {
  const auto zone = TimeZone::Parse(FileOf(rule), "test");
  EXPECT_TRUE(zone.ok()) << rule << ": " << zone.status();
  return zone.ok() ? zone->ToUtc(local) : 0;
}

// tests/test_replay.py compares with Python's zoneinfo: 30 zones, from 1970 to 2040.
TEST(TimeZone, KnowsSummerTime) {
  EXPECT_EQ(Utc("UTC", 17), 17);
  EXPECT_EQ(Utc("Europe/Lisbon", kMarch31Of2024), kMarch31Of2024);
  EXPECT_EQ(Utc("Europe/Lisbon", kMarch31Of2024 + 12 * kHour), kMarch31Of2024 + 11 * kHour);
  EXPECT_EQ(Utc("Asia/Tokyo", kMarch31Of2024), kMarch31Of2024 - 9 * kHour);
}

TEST(TimeZone, ATimeThatNeverOccursMovesForward) {
  // Clocks in Berlin go from 2 to 3: 2:30 is 3:30.
  EXPECT_EQ(Utc("Europe/Berlin", kMarch31Of2024 + 2 * kHour + 1800),
            Utc("Europe/Berlin", kMarch31Of2024 + 3 * kHour + 1800));
}

TEST(TimeZone, ATimeThatOccursTwiceIsTheFirst) {
  // Clocks in Berlin go from 3 to 2: the first 2:30 is 0:30 in UTC, the second 1:30.
  EXPECT_EQ(Utc("Europe/Berlin", kOctober27Of2024 + 2 * kHour + 1800), kOctober27Of2024 + 1800);
  EXPECT_EQ(Utc("Europe/Berlin", kOctober27Of2024 + 3 * kHour), kOctober27Of2024 + 2 * kHour);
}

TEST(TimeZone, TheRuleHoldsForEver) {
  // 400 years have the same weekdays.
  constexpr int64_t kCycle = int64_t{146'097} * 86'400;
  for (const char* zone : {"Europe/Berlin", "America/New_York", "Australia/Sydney"}) {
    for (const int64_t local : {kMarch31Of2024 + 6 * kHour, kOctober27Of2024 + 6 * kHour,
                                kOctober27Of2024 - 40 * 86'400}) {
      const int64_t offset = local - Utc(zone, local);
      EXPECT_EQ(local + kCycle - Utc(zone, local + kCycle), offset) << zone;
      EXPECT_EQ(local + 19 * kCycle - Utc(zone, local + 19 * kCycle), offset) << zone;
    }
  }
}

TEST(TimeZone, ReadsEveryFormOfRule) {
  const int64_t summer = kMarch31Of2024 + 90 * 86'400, winter = kMarch31Of2024 - 60 * 86'400;
  EXPECT_EQ(ByRule("<-03>3", summer), summer + 3 * kHour);
  EXPECT_EQ(ByRule("<+0545>-5:45", summer), summer - 5 * kHour - 45 * 60);
  EXPECT_EQ(ByRule("EST5EDT,M3.2.0,M11.1.0", summer), summer + 4 * kHour);
  EXPECT_EQ(ByRule("EST5EDT,M3.2.0,M11.1.0", winter), winter + 5 * kHour);
  // Ireland calls summer time its standard.
  EXPECT_EQ(ByRule("IST-1GMT0,M10.5.0,M3.5.0/1", summer), summer - kHour);
  EXPECT_EQ(ByRule("IST-1GMT0,M10.5.0,M3.5.0/1", winter), winter);
  EXPECT_EQ(ByRule("AAA0BBB,J60/0,J300/0", summer), summer - kHour);
  EXPECT_EQ(ByRule("AAA0BBB,59/0,300/0", winter), winter);
  EXPECT_EQ(ByRule("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", summer), summer + kHour);
}

TEST(TimeZone, BrokenFilesAreRefused) {
  const std::string whole = FileOf("EST5EDT,M3.2.0,M11.1.0");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(TimeZone::Parse(whole.substr(0, size), "test").ok()) << size;
  }
  for (const char* rule : {"EST", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M13.2.0,M11.1.0",
                           "EST5EDT,M3.6.0,M11.1.0", "EST5EDT,M3.2.0,M11.1.0x", "5"}) {
    EXPECT_FALSE(TimeZone::Parse(FileOf(rule), "test").ok()) << rule;
  }
}

TEST(TimeZone, AlteredFilesDoNoHarm) {
  const std::string whole = FileOf("<-02>2<-01>,M3.5.0/-1,M10.5.0/0");
  uint32_t random = 1;
  for (int i = 0; i < 20'000; ++i) {
    std::string altered = whole;
    for (int changes = 0; changes <= i % 3; ++changes) {
      random = random * 1664525 + 1013904223;
      altered[(random >> 8) % altered.size()] = static_cast<char>(random >> 24);
    }
    if (const auto zone = TimeZone::Parse(altered, "test"); zone.ok()) zone->ToUtc(kMarch31Of2024);
  }
}

TEST(TimeZone, AnUnknownZoneIsNamed) {
  for (const char* zone : {"Europe/Lisboa", "", "/etc/passwd", "../passwd", "Europe"}) {
    EXPECT_THAT(TimeZone::Load(zone).status().message(), HasSubstr("there is no zone"));
  }
  setenv("TZDIR", "/no/such/folder", 1);
  EXPECT_THAT(TimeZone::Load("Europe/Lisbon").status().message(), HasSubstr("install tzdata"));
  unsetenv("TZDIR");
}

}  // namespace
}  // namespace shopstream
