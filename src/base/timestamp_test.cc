#include "base/timestamp.h"

#include <gtest/gtest.h>

namespace shopstream {
namespace {

TEST(ParseTimestamp, ReadsIso8601) {
  constexpr int64_t kMidnight = 1'761'264'000'000;  // 2025-10-24T00:00:00Z
  EXPECT_EQ(ParseTimestamp("2025-10-24").ValueOrDie(), kMidnight);
  EXPECT_EQ(ParseTimestamp("2025-10-24T00:01Z").ValueOrDie(), kMidnight + 60'000);
  EXPECT_EQ(ParseTimestamp("2025-10-24 00:00:05").ValueOrDie(), kMidnight + 5'000);
  EXPECT_EQ(ParseTimestamp("2025-10-24T00:00:05.25Z").ValueOrDie(), kMidnight + 5'250);
  EXPECT_EQ(ParseTimestamp("2025-10-24T00:00:05.123987Z").ValueOrDie(), kMidnight + 5'123);
  EXPECT_EQ(ParseTimestamp("2025-10-24T02:00:00+02:00").ValueOrDie(), kMidnight);
  EXPECT_EQ(ParseTimestamp("2025-10-23T18:30-0530").ValueOrDie(), kMidnight);
  EXPECT_EQ(ParseTimestamp("20251024").ValueOrDie(), kMidnight);
  EXPECT_EQ(ParseTimestamp("20251024T000005Z").ValueOrDie(), kMidnight + 5'000);
  EXPECT_EQ(ParseTimestamp("20251024T0001").ValueOrDie(), kMidnight + 60'000);
  EXPECT_EQ(ParseTimestamp("2025-10-24 00:00:05 UTC").ValueOrDie(), kMidnight + 5'000);
  EXPECT_EQ(ParseTimestamp("2025-10-24 02:00:00 +02").ValueOrDie(), kMidnight);
  EXPECT_EQ(ParseTimestamp("1969-12-31T23:59:59.999Z").ValueOrDie(), -1);
}

TEST(ParseTimestamp, KnowsWhetherThereIsAnOffset) {
  EXPECT_EQ(ParseIsoTime("2025-10-24T00:00").ValueOrDie().offset_millis, std::nullopt);
  EXPECT_EQ(ParseIsoTime("2025-10-24T00:00 UTC").ValueOrDie().offset_millis, 0);
  EXPECT_EQ(ParseIsoTime("2025-10-24T00:00-0530").ValueOrDie().offset_millis, -19'800'000);
}

TEST(ParseTimestamp, RefusesTheRest) {
  for (const char* text : {"",
                           "now",
                           "2025",
                           "2025-13-01",
                           "2025-02-29",
                           "2025-10-24T",
                           "2025-10-24T8:00",
                           "2025-10-24T24:00",
                           "2025-10-24T08:60",
                           "2025-10-24T08:15:30.",
                           "2025-10-24T08:15:30+2",
                           "2025-10-24Z",
                           "2025-10-24T08:15:30Z ",
                           "24.10.2025",
                           "2025-1024",
                           "202510",
                           "20251024T",
                           "2025-10-24T08:15 EST",
                           "1761264000000",
                           "0000-05-01"}) {
    EXPECT_TRUE(ParseTimestamp(text).status().IsInvalid()) << text;
  }
}

}  // namespace
}  // namespace shopstream
