#include "refine/refine_stats.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/metrics_testing.h"

namespace shopstream::refine {
namespace {

using testing::PageShows;

TEST(RefineStatsTest, APassIsDescribedInOneLine) {
  EXPECT_EQ(
      "pass 812: 10,240 rows, 9,871 to Silver, 369 rejected (duplicate 40, quantity_range "
      "329)",
      Describe({.pass = 812,
                .rows = 10'240,
                .silver = 9'871,
                .rejected = {{"duplicate", 40}, {"quantity_range", 329}}}));
  EXPECT_EQ("pass 1: 1 row, 1 to Silver", Describe({.pass = 1, .rows = 1, .silver = 1}));
}

TEST(RefineStatsTest, CountsPassesAndReasons) {
  RefineStats stats;
  EXPECT_FALSE(stats.lag());
  stats.OnPass({.pass = 1, .rows = 10, .silver = 8, .rejected = {{"cents", 2}}}, 5'000);
  stats.OnPass({.pass = 2,
                .rows = 5,
                .silver = 4,
                .rejected = {{"cents", 1}},
                .warned = {{"known_product", 3}},
                .without_coordinates = 2},
               6'000);
  EXPECT_EQ(2, stats.passes());
  EXPECT_EQ(15, stats.rows());
  EXPECT_EQ(12, stats.silver());
  EXPECT_EQ(3, stats.rejected().at("cents"));
  EXPECT_EQ(2, stats.last()->pass);
  EXPECT_EQ(2, stats.without_coordinates());
  EXPECT_TRUE(PageShows("shopstream_refine_rows_without_coordinates_total 2"));
  EXPECT_TRUE(PageShows("shopstream_refine_rejected_total{reason=\"cents\"} 3"));
  EXPECT_TRUE(PageShows("shopstream_refine_warned_total{rule=\"known_product\"} 3"));
  EXPECT_TRUE(PageShows("shopstream_refine_last_pass_timestamp_seconds 6"));
  EXPECT_EQ(3, ToJson(stats)["rejects"]);
}

TEST(RefineStatsTest, RulesThatFoundNothingShowZero) {
  RefineStats stats;
  Rules rules;
  rules.rules.resize(2);
  rules.rules[0].name = "never_rejects";
  rules.rules[1].name = "never_warns";
  rules.rules[1].action = Action::kWarn;
  stats.ShowRules(rules);
  EXPECT_TRUE(PageShows("shopstream_refine_rejected_total{reason=\"never_rejects\"} 0"));
  EXPECT_TRUE(PageShows("shopstream_refine_rejected_total{reason=\"closed_date\"} "));
  EXPECT_TRUE(PageShows("shopstream_refine_warned_total{rule=\"never_warns\"} 0"));
  EXPECT_TRUE(stats.rejected().empty());
}

TEST(RefineStatsTest, AHaltIsShownUntilItEnds) {
  RefineStats stats;
  stats.SetHalted("cents");
  EXPECT_TRUE(PageShows("shopstream_refine_halted 1"));
  EXPECT_EQ("cents", stats.halted());
  stats.SetHalted("");
  EXPECT_TRUE(PageShows("shopstream_refine_halted 0"));
}

}  // namespace
}  // namespace shopstream::refine
