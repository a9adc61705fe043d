#include "refine/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::refine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Failure(const std::string& yaml) {
  return ParseRules(yaml, "rules.yaml").status().message();
}

std::string FailureOf(const std::string& condition) {
  return Failure("rules:\n- {name: r, owner: o, description: d, action: warn, " + condition + "}");
}

TEST(Rules, AllKindsAndActionsAreRead) {
  const Rules rules = ParseRules(R"(
stop_above: {percent: 2.5, rows: 100}
rules:
  - name: has_user
    owner: shop-data
    description: Who bought it.
    action: reject
    not_null: {column: user_id}
  - {name: a1, owner: o, description: d, action: warn, range: {column: n, least: -1.5, below: 1e3}}
  - {name: a2, owner: o, description: d, action: stop, allowed: {column: c, values: [USD, EUR]}}
  - {name: a3, owner: o, description: d, action: warn, pattern: {column: p, matches: "^[A-Z]+$"}}
  - {name: a4, owner: o, description: d, action: warn,
     reference: {column: p, table: product_categories, key: product_id}}
  - {name: a5, owner: o, description: d, action: warn, two_decimals: {column: amount}}
  - {name: a6, owner: o, description: d, action: warn, sql: "n < 3"}
  - name: a7
    owner: o
    description: d
    action: warn
    sql: |
      n < 3
      AND m > 2
)",
                                 "rules.yaml")
                          .ValueOrDie();
  EXPECT_EQ("rules.yaml", rules.file);
  EXPECT_EQ(2.5, rules.stop_above->percent);
  EXPECT_EQ(100, rules.stop_above->rows);
  ASSERT_EQ(8, rules.rules.size());
  EXPECT_EQ("has_user", rules.rules[0].name);
  EXPECT_EQ("shop-data", rules.rules[0].owner);
  EXPECT_EQ("Who bought it.", rules.rules[0].description);
  EXPECT_EQ(Action::kReject, rules.rules[0].action);
  EXPECT_EQ(4, rules.rules[0].line);
  EXPECT_EQ("user_id", std::get<NotNull>(rules.rules[0].condition).column);
  const auto& range = std::get<Range>(rules.rules[1].condition);
  EXPECT_EQ("-1.5", range.least);
  EXPECT_EQ("1e3", range.below);
  EXPECT_FALSE(range.above || range.most);
  EXPECT_EQ(Action::kStop, rules.rules[2].action);
  EXPECT_THAT(std::get<Allowed>(rules.rules[2].condition).values, ElementsAre("USD", "EUR"));
  EXPECT_EQ("^[A-Z]+$", std::get<Pattern>(rules.rules[3].condition).matches);
  EXPECT_EQ("product_id", std::get<Reference>(rules.rules[4].condition).key);
  EXPECT_EQ("amount", std::get<TwoDecimals>(rules.rules[5].condition).column);
  EXPECT_EQ("n < 3", std::get<SqlCondition>(rules.rules[6].condition).text);
  EXPECT_EQ("n < 3\nAND m > 2\n", std::get<SqlCondition>(rules.rules[7].condition).text);
  EXPECT_EQ(21, std::get<SqlCondition>(rules.rules[7].condition).line);
  EXPECT_EQ("", ColumnOf(rules.rules[7].condition));
  EXPECT_EQ("n", ColumnOf(rules.rules[1].condition));
}

TEST(Rules, ThereMayBeNoRules) {
  const Rules rules = ParseRules("rules: []", "rules.yaml").ValueOrDie();
  EXPECT_TRUE(rules.rules.empty());
  EXPECT_FALSE(rules.stop_above);
}

TEST(Rules, MistakesAreNamedWithTheirLine) {
  EXPECT_EQ(
      "rules.yaml, line 2: rule r has no condition: give exactly one of not_null, range, "
      "allowed, pattern, reference, two_decimals, sql",
      Failure("rules:\n- {name: r, owner: o, description: d, action: warn}"));
  EXPECT_THAT(FailureOf("sql: 'a < 1', not_null: {column: a}"), HasSubstr("has not_null and sql"));
  EXPECT_THAT(FailureOf("not_nul: {column: a}"), HasSubstr("did you mean 'not_null'?"));
  EXPECT_THAT(FailureOf("not_null: {colum: a}"), HasSubstr("did you mean 'column'?"));
  EXPECT_THAT(FailureOf("not_null: a"), HasSubstr("not_null consists of keys and values: column"));
  EXPECT_THAT(FailureOf("range: {column: a}"), HasSubstr("needs a bound"));
  EXPECT_THAT(FailureOf("range: {column: a, least: 1, above: 2}"), HasSubstr("least or above"));
  EXPECT_THAT(FailureOf("range: {column: a, most: many}"), HasSubstr("is a number, not 'many'"));
  EXPECT_THAT(FailureOf("range: {column: a, most: .inf}"), HasSubstr("is a number"));
  EXPECT_THAT(FailureOf("range: {column: a, most: inf}"), HasSubstr("is a number"));
  EXPECT_THAT(FailureOf("allowed: {column: a, values: []}"), HasSubstr("a list of texts"));
  EXPECT_THAT(FailureOf("reference: {column: a, table: rate, key: currency}"),
              HasSubstr("did you mean 'rates'?"));
  EXPECT_THAT(FailureOf("reference: {column: a, table: rates, key: curency}"),
              HasSubstr("did you mean 'currency'?"));
  EXPECT_EQ(
      "rules.yaml, line 2: now gives another value each time, so a repeated pass would decide "
      "otherwise: use kafka_timestamp or ingested_at",
      FailureOf("sql: timestamp < now()"));
  EXPECT_THAT(FailureOf("sql: ' '"), HasSubstr("'sql' is a condition in SQL"));
}

TEST(Rules, NamesCanBeJoinedByCommas) {
  const auto failure = [](const std::string& name) {
    return Failure("rules:\n- {name: " + name +
                   ", owner: o, description: d, action: warn, sql: '1 = 1'}");
  };
  EXPECT_EQ("", failure("a_1"));
  for (const char* name :
       {"'a,b'", "A", "1a", "''", "_a", "a-b", "not_computable", "duplicate", "closed_date"}) {
    EXPECT_THAT(failure(name), HasSubstr("rules.yaml, line 2")) << name;
  }
  EXPECT_THAT(Failure("rules:\n- {name: a, owner: o, description: d, action: warn, sql: 'x'}\n"
                      "- {name: a, owner: o, description: d, action: warn, sql: 'x'}\n"),
              HasSubstr("line 3: there are two rules with the name a"));
}

TEST(Rules, AFileThatIsNotOneIsRefused) {
  EXPECT_THAT(Failure("rules: [{"), HasSubstr("rules.yaml, line "));
  EXPECT_THAT(Failure(""), HasSubstr("rules.yaml, line "));
  EXPECT_THAT(Failure("rules: 5"), HasSubstr("'rules' is a list"));
  EXPECT_THAT(Failure("rule: []"), HasSubstr("did you mean 'rules'?"));
  EXPECT_THAT(Failure("rules: []\nstop_above: {percent: 101, rows: 5}"), HasSubstr("0 to 100"));
  EXPECT_THAT(Failure("rules: []\nstop_above: {percent: nan, rows: 5}"), HasSubstr("0 to 100"));
  EXPECT_THAT(Failure("rules: []\nstop_above: {percent: 5, rows: 0}"), HasSubstr("above 0"));
  EXPECT_THAT(Failure("rules:\n- {name: r, owner: o, action: warn, sql: x}"),
              HasSubstr("'description' is missing"));
  EXPECT_THAT(Failure("rules:\n- {name: r, owner: o, description: d, action: drop, sql: x}"),
              HasSubstr("'action' can be: warn, reject, stop"));
}

}  // namespace
}  // namespace shopstream::refine
