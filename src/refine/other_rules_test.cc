#include "refine/other_rules.h"

#include <gtest/gtest.h>

#include "refine/bronze_testing.h"

namespace shopstream::refine {
namespace {

TEST(DescribeOtherRules, NamesWhatChangedAndTheCommandForThePast) {
  testing::Bronze table;  // Any table by date.
  EXPECT_EQ("Pass 3 is the first with other rules, rates or SQL (rates, rule sane).",
            DescribeOtherRules(3, {"rates", "rule sane"}, *table.snapshot()));
  table.Append(testing::Rows("t", 0, 0, 2, "2025-10-24"));
  table.Append(testing::Rows("t", 0, 2, 4, "2025-09-30"));
  EXPECT_EQ(
      "Pass 3 is the first with other rules, rates or SQL. Earlier passes keep their verdicts; "
      "`shopstream refine --restate 2025-09-30..2025-10-24` judges their rows again.",
      DescribeOtherRules(3, {}, *table.snapshot()));
}

}  // namespace
}  // namespace shopstream::refine
