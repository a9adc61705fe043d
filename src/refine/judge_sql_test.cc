#include "refine/judge_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "refine/testing.h"

namespace shopstream::refine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Rule RuleWith(RuleCondition condition) {
  Rule rule;
  rule.name = "r";
  rule.condition = std::move(condition);
  return rule;
}

std::string Condition(RuleCondition condition, Dialect dialect = Dialect::kDuckDb) {
  return ConditionSql(RuleWith(std::move(condition)), 1, dialect);
}

TEST(JudgeSql, ConditionsQuoteNamesAndTexts) {
  EXPECT_EQ(R"("a ""b" IS NOT NULL)", Condition(NotNull{R"(a "b)"}));
  EXPECT_EQ("`a ``b` IS NOT NULL", Condition(NotNull{"a `b"}, Dialect::kSpark));
  EXPECT_EQ(R"("n" >= 1 AND "n" < 2.5)",
            Condition(Range{.column = "n", .least = "1", .above = {}, .most = {}, .below = "2.5"}));
  EXPECT_EQ(R"("c" IN ('it''s', 'b'))", Condition(Allowed{"c", {"it's", "b"}}));
  EXPECT_EQ(R"(`c` IN ("it's", concat("'a", '"\')))",
            Condition(Allowed{"c", {"it's", R"('a"\)"}}, Dialect::kSpark));
  EXPECT_EQ(R"(regexp_like("p", '^\d$'))", Condition(Pattern{"p", R"(^\d$)"}));
  EXPECT_EQ(R"(reference_2.reference_key IS NOT NULL OR "p" IS NULL)",
            Condition(Reference{"p", "rates", "currency"}));
  EXPECT_EQ(R"("raw_amount" = round("raw_amount" * 100) / 100)", Condition(TwoDecimals{"amount"}));
  EXPECT_EQ("\na < 1 -- c\n", Condition(SqlCondition{"a < 1 -- c", 5}));
}

TEST(JudgeSql, ColumnsKeepTheirNamesUnlessTheyAreTaken) {
  arrow::FieldVector fields = PurchaseBronzeSchema()->fields();
  for (const char* name : {"late", "copy", "Warnings", "bronze_copy"}) {
    fields.push_back(arrow::field(name, arrow::utf8()));
  }
  const auto columns = BronzeColumns(RefineColumns::From(arrow::schema(fields)));
  const auto named = [&](const std::string& name) {
    for (const BronzeColumn& column : columns) {
      if (column.name == name) return column.silver_name + " " + column.sql_name;
    }
    return std::string();
  };
  EXPECT_EQ("event_id event_id", named("event_id"));
  EXPECT_EQ("bronze_late bronze_late", named("late"));
  EXPECT_EQ("copy bronze_bronze_copy", named("copy"));
  EXPECT_EQ("Warnings bronze_Warnings", named("Warnings"));
  EXPECT_EQ("bronze_copy bronze_copy", named("bronze_copy"));
}

TEST(JudgeSql, TheBatchSpeaksTheDialectOfItsEngine) {
  const auto book = testing::Book(
      "rules: [{name: r, owner: o, description: d, action: reject, not_null: {column: user_id}}]");
  const JudgeText text = {.silver = book->silver,
                          .rules = &book->rules,
                          .late_after_seconds = 120,
                          .columns = BronzeColumns(RefineColumns::From(PurchaseBronzeSchema()))};
  const std::string spark = SilverBatchSql(text, BatchRows::kSilver, Dialect::kSpark);
  EXPECT_THAT(spark, HasSubstr("`user_id` IS NOT NULL"));
  EXPECT_THAT(spark, Not(HasSubstr("\"")));
  EXPECT_THAT(spark, HasSubstr("INTERVAL '120' SECOND"));
  EXPECT_THAT(spark, HasSubstr("WHERE reasons = '' AND copy = 1"));
  EXPECT_THAT(SilverBatchSql(text, BatchRows::kRejects, Dialect::kDuckDb),
              HasSubstr("\"user_id\" IS NOT NULL"));
}

}  // namespace
}  // namespace shopstream::refine
