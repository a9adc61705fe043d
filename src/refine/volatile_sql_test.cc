#include "refine/volatile_sql.h"

#include <gtest/gtest.h>

namespace shopstream::refine {
namespace {

TEST(VolatileSql, FunctionsOfTimeAndChanceAreFound) {
  EXPECT_EQ("now", VolatileFunctionIn("timestamp < now()"));
  EXPECT_EQ("random", VolatileFunctionIn("Random ( ) < 0.5"));
  EXPECT_EQ("current_date", VolatileFunctionIn("date < current_date"));
  EXPECT_EQ("current_timestamp", VolatileFunctionIn("SELECT CURRENT_TIMESTAMP()"));
}

TEST(VolatileSql, ColumnsTextsAndCommentsAreNone) {
  EXPECT_EQ("", VolatileFunctionIn("now < 5 AND random > 3 -- now()"));
  EXPECT_EQ("", VolatileFunctionIn("name = 'now()' AND \"now\" (1) /* random() */"));
  EXPECT_EQ("", VolatileFunctionIn("hour(event_hour) > 3 AND upper(nowhere) = 'X'"));
}

}  // namespace
}  // namespace shopstream::refine
