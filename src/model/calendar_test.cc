#include "model/calendar.h"

#include <gtest/gtest.h>

namespace shopstream {
namespace {

TEST(ParseDateTest, ReadsWhatIsWrittenAndNothingElse) {
  for (const int32_t days : {-719162, -1, 0, 20385, 2932896}) {
    EXPECT_EQ(days, ParseDate(FormatDate(days))) << FormatDate(days);
  }
  for (const char* text :
       {"", "2025-10", "2025-13-01", "20251024", "2025-10-24T00:00", "yesterday"}) {
    EXPECT_EQ(std::nullopt, ParseDate(text)) << text;
  }
}

TEST(FormatDateTest, CountsDaysFromTheEpochInBothDirections) {
  EXPECT_EQ("1970-01-01", FormatDate(0));
  EXPECT_EQ("1969-12-31", FormatDate(-1));
  EXPECT_EQ("2024-02-29", FormatDate(19782));
}

}  // namespace
}  // namespace shopstream
