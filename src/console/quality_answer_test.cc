#include "console/quality_answer.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "base/json.h"

namespace shopstream::console {
namespace {

constexpr char kRules[] = R"(
rules:
  - {name: quantity_range, owner: shop, description: units, action: reject,
     range: {column: quantity, least: 1}}
  - {name: dear, owner: shop, description: dear, action: warn, range: {column: amount, most: 9}}
)";

QualityReport TwoDays() {
  QualityReport report;
  report.has_bronze = report.is_refined = true;
  report.pass = 7;
  report.days = {{.date = "2025-10-24",
                  .bronze = 10,
                  .silver = 7,
                  .rejected = 2,
                  .duplicates = 1,
                  .not_refined = 0,
                  .foreign = 0,
                  .difference = 0,
                  .difference_unknown = ""},
                 {.date = "2025-10-23",
                  .bronze = 5,
                  .silver = 4,
                  .rejected = 0,
                  .duplicates = 0,
                  .not_refined = 0,
                  .foreign = 0,
                  .difference = 1,
                  .difference_unknown = ""},
                 {.date = "",
                  .bronze = {},
                  .silver = 0,
                  .rejected = {},
                  .duplicates = {},
                  .not_refined = {},
                  .foreign = {},
                  .difference = {},
                  .difference_unknown = "not counted"}};
  report.reasons = {{"2025-10-24", {{"quantity_range", 2}, {"duplicate", 1}, {"former", 1}}}};
  report.refined_rows = 20;
  auto book = std::make_shared<refine::RuleBook>();
  book->rules = refine::ParseRules(kRules, "rules.yaml").ValueOrDie();
  report.rules = std::move(book);
  return report;
}

TEST(QualityAnswerTest, DaysAreBoundedAndContinueBelowADate) {
  const auto first = QualityAnswer(TwoDays(), "", 1);
  ASSERT_EQ(1U, first["days"].size());
  EXPECT_EQ(10, first["days"][0]["bronze_rows"]);
  EXPECT_EQ(true, first["days"][0]["closes"]);
  EXPECT_EQ("2025-10-24", first["older"]);
  const auto rest = QualityAnswer(TwoDays(), first["older"], 60);
  ASSERT_EQ(2U, rest["days"].size());
  EXPECT_EQ(false, rest["days"][0]["closes"]);
  EXPECT_EQ(1, rest["days"][0]["difference"]);
  EXPECT_TRUE(rest["days"][1]["date"].is_null());
  EXPECT_TRUE(rest["days"][1]["closes"].is_null());
  EXPECT_TRUE(rest["days"][1]["bronze_rows"].is_null());
  EXPECT_EQ("not counted", rest["days"][1]["difference_unknown"]);
  EXPECT_TRUE(rest["older"].is_null());
}

TEST(QualityAnswerTest, RulesHaveTheirRowsAndWhetherTheyAreInForce) {
  const auto rules = QualityAnswer(TwoDays(), "", 60)["rules"];
  ASSERT_EQ(4U, rules.size());
  EXPECT_EQ("quantity_range", rules[0]["name"]);
  EXPECT_EQ(2, rules[0]["rows"]);
  EXPECT_DOUBLE_EQ(0.1, rules[0]["share"]);
  EXPECT_EQ("reject", rules[0]["action"]);
  EXPECT_TRUE(rules[1]["rows"].is_null());  // It warns.
  EXPECT_EQ("duplicate", rules[2]["name"]);
  EXPECT_EQ("built_in", rules[2]["action"]);
  EXPECT_EQ("former", rules[3]["name"]);
  EXPECT_EQ(false, rules[3]["in_force"]);
}

TEST(QualityAnswerTest, WithoutBronzeItNamesTheNextCommand) {
  const auto answer = QualityAnswer({}, "", 60);
  EXPECT_EQ(false, answer["exists"]);
  EXPECT_EQ("shopstream ingest", answer["remedy"]);
}

}  // namespace
}  // namespace shopstream::console
