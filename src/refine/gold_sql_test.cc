#include "refine/gold_sql.h"

#include <arrow/type.h>
#include <gtest/gtest.h>

#include <string>

namespace shopstream::refine {
namespace {

GoldFile FileWith(const std::string& derive) {
  return ParseGold("x", {"-- key: region, date\n-- n: add\n-- usd: add\n-- first: min\n"
                         "-- last: max\n-- users: distinct user_id\n-- ratio: derived\n"
                         "-- aggregate\nSELECT 1\n-- derive\n" +
                             derive,
                         "x.sql", 1})
      .ValueOrDie();
}

arrow::FieldVector Stored() {
  return {arrow::field("region", arrow::utf8()),         arrow::field("n", arrow::int64()),
          arrow::field("usd", arrow::decimal128(18, 2)), arrow::field("first", arrow::utf8()),
          arrow::field("last", arrow::utf8()),           arrow::field("users", arrow::int64()),
          arrow::field("date", arrow::date32())};
}

TEST(GoldSqlTest, BatchSqlIsTheFilesOwn) {
  const auto sql = GoldBatchSql(FileWith("SELECT 2\n"));
  EXPECT_EQ(sql.text, "WITH aggregated AS (\nSELECT 1\n)\nSELECT 2\n");
  EXPECT_EQ(sql.file, "x.sql");
  EXPECT_EQ(sql.first_line + 1, 9) << "SELECT 1 is in line 9";
}

TEST(GoldSqlTest, EachKindIsMergedInItsWay) {
  EXPECT_EQ(MergedView(FileWith("SELECT 2\n"), *arrow::schema(Stored())),
            "CREATE VIEW aggregated AS SELECT \"region\", CAST(sum(\"n\") AS BIGINT) AS \"n\", "
            "CAST(sum(\"usd\") AS DECIMAL(18,2)) AS \"usd\", min(\"first\") AS \"first\", "
            "max(\"last\") AS \"last\", CAST(sum(\"users\") AS BIGINT) AS \"users\", \"date\" FROM "
            "(SELECT \"region\", \"n\", \"usd\", \"first\", \"last\", \"users\", \"date\" FROM "
            "gold_old UNION ALL SELECT \"region\", \"n\", \"usd\", \"first\", \"last\", \"users\", "
            "\"date\" FROM gold_part) parts GROUP BY \"region\", \"date\"");
}

TEST(GoldSqlTest, TheTableIsSortedByDateFirst) {
  const auto sql =
      TableSql(FileWith("SELECT 2 -- two\n"), *arrow::schema({Stored()[0], Stored()[6]}));
  EXPECT_EQ(sql.text,
            "SELECT \"region\", \"date\" FROM (\nSELECT 2 -- two\n) gold ORDER BY \"date\" NULLS "
            "FIRST, \"region\" NULLS FIRST");
  EXPECT_EQ(sql.first_line + 1, 11) << "SELECT 2 is in line 11";
}

}  // namespace
}  // namespace shopstream::refine
