#include "refine/gold_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "refine/gold_merge.h"
#include "refine/gold_testing.h"

namespace shopstream::refine {
namespace {

using ::testing::HasSubstr;

// What is wrong with a file of these declarations and parts; "" if nothing is.
std::string Wrong(const std::string& columns, const std::string& aggregate,
                  const std::string& derive = "") {
  const std::string text = "-- key: date, region\n" + columns + "\n-- aggregate\n" + aggregate +
                           (derive.empty() ? "" : "\n-- derive\n" + derive);
  const auto file = ParseGold("x", {text, "x.sql", 1});
  if (!file.ok()) return "not even parsed: " + file.status().message();
  return GoldMerge::Open(*file, testing::GoldColumns(), {}).status().message();
}

// One column beside the key.
std::string WrongColumn(const std::string& kind, const std::string& expression) {
  return Wrong("-- n: " + kind, "SELECT date, region,\n  " + expression +
                                    " AS n FROM silver_events GROUP BY date, region");
}

std::string WrongRows(const std::string& from) {
  return Wrong("-- n: add",
               "SELECT date, region, count(*) AS n\nFROM " + from + " GROUP BY date, region");
}

std::string WrongDerive(const std::string& derive) {
  return Wrong("-- n: add\n-- x: derived",
               "SELECT date, region, count(*) AS n FROM silver_events GROUP BY date, region",
               derive);
}

TEST(GoldCheckTest, WhatAddsUpMayBeAdded) {
  EXPECT_EQ(WrongColumn("add", "count(*)"), "");
  EXPECT_EQ(WrongColumn("add", "count(user_id)"), "");
  EXPECT_EQ(WrongColumn("add", "count(*) FILTER (WHERE late)"), "");
  EXPECT_EQ(WrongColumn("add", "CAST(sum(quantity) AS BIGINT)"), "");
  EXPECT_EQ(WrongColumn("add", "CAST(sum(quantity * 2 + 1) AS BIGINT)"), "");
  EXPECT_EQ(WrongColumn("add", "CAST(sum(amount_usd) AS DECIMAL(18,2))"), "");
  EXPECT_EQ(WrongColumn("add", "CAST(sum(amount_usd) AS DECIMAL(20,4))"), "");
  EXPECT_EQ(WrongColumn("min", "min(product_name)"), "");
  EXPECT_EQ(WrongColumn("max", "max(unix_seconds(timestamp))"), "");
  EXPECT_EQ(WrongColumn("distinct user_id", "count(DISTINCT user_id)"), "");
}

TEST(GoldCheckTest, WhatDoesNotIsRefusedWithItsLine) {
  EXPECT_EQ(WrongColumn("add", "avg(quantity)"),
            "x.sql:5: column n is declared add but is avg(...): only count and sum add up; compute "
            "it in the derive part");
  EXPECT_THAT(WrongColumn("add", "count(DISTINCT user_id)"), HasSubstr("count(DISTINCT ...)"));
  EXPECT_THAT(WrongColumn("add", "sum(quantity) + 1"), HasSubstr("x.sql:5: column n"));
  EXPECT_THAT(WrongColumn("add", "region"), HasSubstr("is declared add but is region"));
  EXPECT_THAT(WrongColumn("min", "max(quantity)"), HasSubstr("declared min but is max(...)"));
  EXPECT_THAT(WrongColumn("min", "CAST(min(quantity) AS VARCHAR)"), HasSubstr("write min(...)"));
  EXPECT_THAT(WrongColumn("max", "min(quantity)"), HasSubstr("declared max but is min(...)"));
  EXPECT_THAT(WrongColumn("distinct user_id", "count(DISTINCT product_id)"),
              HasSubstr("count(DISTINCT COLUMN) of the declared column"));
  EXPECT_THAT(WrongColumn("distinct user_id", "count(user_id)"), HasSubstr("declared distinct"));
  EXPECT_THAT(WrongColumn("distinct user_id", "count(DISTINCT user_id) FILTER (WHERE late)"),
              HasSubstr("without FILTER"));
  EXPECT_THAT(WrongColumn("add", "count(*) FILTER (WHERE timestamp < now())"),
              HasSubstr("now gives another value each time"));
  EXPECT_THAT(WrongColumn("add", "count(*) FILTER (WHERE date < current_date)"),
              HasSubstr("current_date gives another value each time"));
  EXPECT_THAT(WrongColumn("add", "sum((SELECT 1))"), HasSubstr("a SELECT within"));
}

TEST(GoldCheckTest, SumsAreExact) {
  EXPECT_THAT(WrongColumn("add", "sum(quantity)"),
              HasSubstr("x.sql:2: column n is a decimal128(38"));
  EXPECT_THAT(
      WrongColumn("add", "sum(CAST(quantity AS DOUBLE))"),
      HasSubstr("x.sql:2: column n is declared add but is a double: such sums depend on the "
                "order of rows"));
  EXPECT_THAT(WrongColumn("add", "CAST(sum(CAST(quantity AS DOUBLE)) AS DECIMAL(18,2))"),
              HasSubstr("such sums depend on the order"));
  EXPECT_THAT(WrongColumn("add", "CAST(sum(amount_usd) AS DECIMAL(18,1))"),
              HasSubstr("rounds sums to 1 decimals: round the values, or keep 2"));
  EXPECT_THAT(WrongColumn("add", "CAST(sum(amount_usd) AS BIGINT)"), HasSubstr("rounds sums to 0"));
}

TEST(GoldCheckTest, RowsComeFromSilverAndRejectsAlone) {
  EXPECT_EQ(WrongRows("silver_rejects WHERE reasons <> 'duplicate'"), "");
  EXPECT_EQ(WrongRows("(SELECT date, region FROM silver_events UNION ALL SELECT date, region FROM "
                      "silver_rejects WHERE quantity > 1) r"),
            "");
  EXPECT_THAT(WrongRows("silver_events CROSS JOIN (SELECT 1) s"),
              HasSubstr("joins are not allowed"));
  EXPECT_THAT(WrongRows("(SELECT date, region FROM silver_events UNION SELECT date, region FROM "
                        "silver_rejects) r"),
              HasSubstr("UNION ALL"));
  EXPECT_THAT(WrongRows("(SELECT date, region FROM silver_events LIMIT 3) r"), HasSubstr("LIMIT"));
  EXPECT_THAT(WrongRows("(SELECT DISTINCT date, region FROM silver_events) r"),
              HasSubstr("DISTINCT is not allowed"));
  EXPECT_THAT(WrongRows("(SELECT date, region FROM silver_events GROUP BY date, region) r"),
              HasSubstr("GROUP BY belongs to the outermost"));
  EXPECT_THAT(WrongRows("(SELECT date, region, count(*) OVER () AS c FROM silver_events) r"),
              HasSubstr("a window"));
  EXPECT_THAT(WrongRows("(SELECT date + 1 AS date, region FROM silver_events) r"),
              HasSubstr("must return the column date as it is"));
  EXPECT_THAT(WrongRows("(SELECT * FROM silver_events) r"), HasSubstr("name each column"));
  EXPECT_THAT(WrongRows("silver_events WHERE user_id IN (SELECT 1)"), HasSubstr("a SELECT within"));
  EXPECT_THAT(WrongRows("range(3) r"), HasSubstr("Referenced column"));
}

TEST(GoldCheckTest, GroupsAreTheKey) {
  EXPECT_EQ(Wrong("-- n: add",
                  "SELECT date, upper(region) AS region, count(*) AS n FROM silver_events\n"
                  "GROUP BY date, upper(region)"),
            "x.sql:5: GROUP BY needs the names of the key's columns");
  EXPECT_THAT(Wrong("-- n: add",
                    "SELECT date, 'x' AS region, count(*) AS n FROM silver_events\n"
                    "GROUP BY date"),
              HasSubstr("x.sql:1: the key is (date, region), but the SELECT has GROUP BY (date)"));
  EXPECT_THAT(Wrong("-- n: add",
                    "SELECT date, region, count(*) AS n FROM silver_events\n"
                    "GROUP BY ROLLUP (date, region)"),
              HasSubstr("the key is"));
  EXPECT_THAT(Wrong("-- n: add",
                    "SELECT date, region, count(*) AS n FROM silver_events\n"
                    "GROUP BY date, region HAVING count(*) > 1"),
              HasSubstr("HAVING is not allowed"));
}

TEST(GoldCheckTest, EachColumnIsDeclaredAndSelected) {
  EXPECT_EQ(Wrong("-- n: add",
                  "SELECT date, region, count(*) AS n,\n  count(*) AS margin\n"
                  "FROM silver_events GROUP BY date, region"),
            "x.sql:5: column margin: declare it as add, min, max, distinct COLUMN or derived");
  EXPECT_EQ(Wrong("-- n: add\n-- m: add",
                  "SELECT date, region, count(*) AS n FROM silver_events "
                  "GROUP BY date, region"),
            "x.sql:3: column m is declared, but the aggregate part does not select it");
  EXPECT_THAT(Wrong("-- n: add",
                    "SELECT date, region, count(*) FROM silver_events "
                    "GROUP BY date, region"),
              HasSubstr("a column without a name: add AS NAME"));
  EXPECT_THAT(Wrong("-- n: add",
                    "SELECT date, region, count(*) AS n, count(*) AS n "
                    "FROM silver_events GROUP BY date, region"),
              HasSubstr("a second column n"));
}

TEST(GoldCheckTest, DerivedColumnsDependOnOneDateAlone) {
  EXPECT_EQ(WrongDerive("SELECT date, region, n, n + 1 AS x FROM aggregated"), "");
  EXPECT_EQ(WrongDerive("SELECT date, region, n, m * 2 AS x FROM (SELECT a.*, n + 1 AS m FROM "
                        "aggregated a) b"),
            "");
  EXPECT_EQ(WrongDerive("SELECT date, region, n, rank() OVER (PARTITION BY date ORDER BY n) AS x "
                        "FROM aggregated"),
            "");
  EXPECT_EQ(WrongDerive("SELECT date, region, n, row_number() OVER (PARTITION BY date ORDER BY n, "
                        "region) AS x FROM aggregated"),
            "");
  EXPECT_EQ(
      WrongDerive("SELECT date, region, n,\n  rank() OVER (ORDER BY n) AS x FROM aggregated"),
      "x.sql:8: a window needs PARTITION BY date: a pass rewrites whole dates, and no others");
  EXPECT_THAT(WrongDerive("SELECT date, region, n, row_number() OVER (PARTITION BY date ORDER BY n)"
                          " AS x FROM aggregated"),
              HasSubstr("must end with the key's columns, here region"));
  EXPECT_THAT(WrongDerive("SELECT date, region, n + 1 AS n, 1 AS x FROM aggregated"),
              HasSubstr("column n is declared add: the derive part must pass it unchanged"));
  EXPECT_THAT(
      WrongDerive("SELECT date, region, n, x FROM (SELECT date, region, 1 AS n, 2 AS x FROM "
                  "aggregated) a"),
      HasSubstr("must pass it unchanged"));
  EXPECT_THAT(WrongDerive("SELECT date, region, n, 1 AS x FROM aggregated WHERE n > 1"),
              HasSubstr("WHERE is not allowed in the derive part"));
  EXPECT_THAT(WrongDerive("SELECT date, region, n, 1 AS x FROM silver_events"),
              HasSubstr("\"n\" not found"));
  EXPECT_THAT(WrongDerive("SELECT a.date, a.region, a.n, 1 AS x FROM aggregated a, silver_events"),
              HasSubstr("reads from `aggregated` alone"));
  EXPECT_THAT(WrongDerive("SELECT date, region, n, random() AS x FROM aggregated"),
              HasSubstr("random gives another value each time"));
  EXPECT_THAT(WrongDerive("SELECT date, region, n FROM aggregated"),
              HasSubstr("x.sql:3: column x is declared, but the derive part does not select it"));
  EXPECT_THAT(WrongDerive("SELECT * FROM aggregated"), HasSubstr("name each column"));
  EXPECT_THAT(WrongDerive("SELECT date, region, n, 1 AS x FROM (SELECT * EXCLUDE (n), n FROM "
                          "aggregated) a"),
              HasSubstr("not in Spark's SQL"));
}

TEST(GoldCheckTest, DuckDbsErrorsNameTheLineOfTheFile) {
  EXPECT_THAT(Wrong("-- n: add",
                    "SELECT date, region,\n  count(amout_usd) AS n FROM silver_events "
                    "GROUP BY date, region"),
              ::testing::AllOf(HasSubstr("x.sql:5: "), HasSubstr("amount_usd")));
  EXPECT_THAT(WrongDerive("SELECT date, region, n,\n  nn AS x FROM aggregated"),
              HasSubstr("x.sql:8: "));
  EXPECT_THAT(WrongDerive("SELECT date region n,\n  nn AS x FROM aggregated"),
              HasSubstr("x.sql:7: "));
}

TEST(GoldCheckTest, TypesThatNoTableHasAreRefused) {
  EXPECT_THAT(WrongColumn("min", "min(INTERVAL '1' DAY)"), HasSubstr("column n"));
  EXPECT_THAT(WrongDerive("SELECT date, region, n, CAST(n AS UINTEGER) AS x FROM aggregated"),
              HasSubstr("column x"));
}

}  // namespace
}  // namespace shopstream::refine
