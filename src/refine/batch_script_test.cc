#include "refine/batch_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "refine/gold_files.h"
#include "refine/testing.h"

namespace shopstream::refine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Script(Dialect dialect) {
  const auto book = testing::Book(
      "rules:\n- name: r\n  owner: shop\n  description: |\n    One line;\n    another.\n"
      "  action: warn\n  not_null: {column: user_id}");
  book->category_files = {{.path = "a/b's.csv", .product_id = "id", .category = "kind"},
                          {.path = "c.parquet", .product_id = "id", .category = "kind"}};
  const JudgeText text = {.silver = book->silver,
                          .rules = &book->rules,
                          .columns = BronzeColumns(RefineColumns::From(PurchaseBronzeSchema()))};
  return BatchScript(*book, BatchTables(text, *LoadGoldFiles(""), dialect), dialect);
}

// tests/test_refine_sql.py runs both.
TEST(BatchScript, EachEngineHasItsOwnSettingsAndFiles) {
  const std::string duckdb = Script(Dialect::kDuckDb), spark = Script(Dialect::kSpark);
  EXPECT_THAT(duckdb, HasSubstr("SET TimeZone = 'UTC';"));
  EXPECT_THAT(duckdb, HasSubstr("a/b''s.csv', header = true"));
  EXPECT_THAT(spark, HasSubstr("SET spark.sql.session.timeZone = UTC;"));
  EXPECT_THAT(spark, HasSubstr("USING parquet OPTIONS (path '"));
  EXPECT_THAT(spark, Not(HasSubstr("read_csv")));
  for (const std::string& script : {duckdb, spark}) {
    EXPECT_THAT(script, HasSubstr("--   r (warn, shop): One line;\n--     another.\n")) << script;
    EXPECT_THAT(script,
                HasSubstr("('EUR', DATE '2000-01-01', CAST(1.08500000 AS DECIMAL(18, 8)))"));
    EXPECT_THAT(script, HasSubstr("CREATE OR REPLACE TEMP VIEW gold_customer_daily AS\nWITH "));
    EXPECT_TRUE(script.ends_with(";\n") && !script.ends_with("\n\n"));
  }
}

}  // namespace
}  // namespace shopstream::refine
