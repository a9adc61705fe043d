#include "model/calendar.h"

#include <gtest/gtest.h>

namespace shopstream {
namespace {

TEST(FormatDateTest, CountsDaysFromTheEpochInBothDirections) {
  EXPECT_EQ("1970-01-01", FormatDate(0));
  EXPECT_EQ("1969-12-31", FormatDate(-1));
  EXPECT_EQ("2024-02-29", FormatDate(19782));
}

}  // namespace
}  // namespace shopstream
