#include "refine/fixtures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "refine/gold_files.h"
#include "refine/testing.h"

namespace shopstream::refine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FixturesTest : public ::testing::Test {
 protected:
  // "table: expected | found" of each difference, or the failure.
  std::vector<std::string> Run(const std::string& text) {
    FixtureReport report;
    const Status status = fixtures_.Run(text, "f.yaml", &report);
    if (!status.ok()) return {status.message()};
    std::vector<std::string> texts;
    for (const auto& difference : report.differences) {
      texts.push_back(difference.fixture + ", " + difference.table + ": " + difference.expected +
                      " | " + difference.found);
      for (const std::string& column : difference.columns) texts.back() += " | " + column;
    }
    return texts;
  }

  Fixtures fixtures_{testing::Book("rules: [{name: few, owner: o, description: d, action: reject, "
                                   "range: {column: quantity, most: 5}}]"),
                     *LoadGoldFiles("")};
};

TEST_F(FixturesTest, WhatIsExpectedIsFound) {
  EXPECT_THAT(Run(R"(
name: a purchase in euros, and its repetition
input:
  - &a {event_id: e1, amount: 10.01, currency: EUR, kafka_offset: 5}
  - {<<: *a, kafka_offset: 6}
  - {event_id: e2, quantity: 6, kafka_offset: 7}
silver: [{event_id: e1, amount_usd: 10.86, event_hour: 2025-10-24T10:00:00Z, late: false}]
rejects: [{kafka_offset: 6, reasons: duplicate}, {event_id: e2, reasons: few}]
)"),
              IsEmpty());
}

TEST_F(FixturesTest, WhatIsNotFoundIsShown) {
  EXPECT_THAT(Run("name: n\ninput: [{amount: 2}]\nsilver: [{amount_usd: 3}]\nrejects: [{}]"),
              ElementsAre("n, silver: amount_usd: 3.00 | amount_usd: 2.00 | amount_usd",
                          "n, rejects:  | "));
}

TEST_F(FixturesTest, AFixtureBringsItsOwnRulesAndRates) {
  EXPECT_THAT(Run(R"(
name: own rules
rules: [{name: odd, owner: o, description: d, action: reject, sql: quantity % 2 = 0}]
rates: [{currency: XXX, valid_from: 2025-01-01, rate: 2}]
input: [{quantity: 6, currency: XXX}, {quantity: 7, currency: XXX}, {quantity: 6}]
silver: [{amount_usd: 2}]
rejects: [{reasons: odd}, {reasons: not_computable}]
---
name: the others again
input: [{quantity: 6}]
rejects: [{reasons: few}]
)"),
              IsEmpty());
}

TEST_F(FixturesTest, GoldIsWhatIsExpected) {
  EXPECT_THAT(Run(R"(
name: a customer of two passes, a rejected row and a repetition
input: [{user_id: 1}, {user_id: 1, amount: 2}, {user_id: 2}, {user_id: 3, quantity: 6}, {event_id: e0}]
gold:
  revenue_hourly: [{region: EU, orders: 3, revenue_usd: 4, average_order_value: 1.33, customers: 2}]
  quality_daily: [{bronze_rows: 5, silver_rows: 3, rejected_rows: 1, duplicate_rows: 1}]
---
name: nothing
input: []
gold: {revenue_hourly: [], customer_daily: []}
)"),
              IsEmpty());
}

TEST_F(FixturesTest, RowsBeforeTheHorizonHaveAClosedDate) {
  EXPECT_THAT(Run(R"(
name: two of them are copies, one of them breaks a rule
horizon: 2025-10-24
input:
  - {event_id: e1, timestamp: 2025-10-23T23:59:59Z}
  - {event_id: e1, timestamp: 2025-10-23T23:59:59Z}
  - {event_id: e2, timestamp: 2025-10-23T10:00:00Z, quantity: 6}
  - {event_id: e3, timestamp: 2025-10-24T00:00:00Z}
  - {event_id: e4, timestamp: 2025-10-24T00:00:00Z, quantity: 6}
silver: [{event_id: e3}]
rejects:
  - {event_id: e1, reasons: closed_date}
  - {event_id: e1, reasons: closed_date}
  - {event_id: e2, reasons: closed_date}
  - {event_id: e4, reasons: few}
gold: {quality_daily: [{date: 2025-10-24, bronze_rows: 2, silver_rows: 1, rejected_rows: 1}]}
---
name: without a horizon no date is closed
input: [{event_id: e1, timestamp: 2025-10-23T23:59:59Z}]
rejects: []
)"),
              IsEmpty());
}

TEST_F(FixturesTest, AnotherGoldIsShownByItsColumns) {
  EXPECT_THAT(Run("name: n\ninput: [{}, {}]\ngold:\n"
                  "  customer_daily: [{user_id: 1, orders: 2, spend_usd: 3}, {user_id: 2}]"),
              ElementsAre("n, gold_customer_daily: user_id: 1, orders: 2, spend_usd: 3.00 | "
                          "user_id: 1, orders: 2, spend_usd: 2.00 | spend_usd",
                          "n, gold_customer_daily: user_id: 2 | "));
}

TEST_F(FixturesTest, AGoldFileThatDoesNotAddUpIsRefused) {
  const auto file = ParseGold("odd", {"-- key: date\n-- price: add\n-- aggregate\n"
                                      "SELECT date, avg(amount_usd) AS price\n"
                                      "FROM silver_events GROUP BY date\n",
                                      "odd.sql", 1});
  Fixtures fixtures(testing::Book(), {*file});
  FixtureReport report;
  EXPECT_THAT(fixtures.Run("name: n\ninput: [{}]\ngold: {odd: []}", "f.yaml", &report).message(),
              HasSubstr("odd.sql:4: column price is declared add but is avg(...)"));
}

TEST_F(FixturesTest, FixturesAndRowsAreCounted) {
  FixtureReport report;
  ASSERT_TRUE(
      fixtures_.Run("{name: a, input: [{}, {}]}\n---\n{name: b, input: []}", "f.yaml", &report)
          .ok());
  EXPECT_EQ(2, report.fixtures);
  EXPECT_EQ(2, report.rows);
}

TEST_F(FixturesTest, MistakesAreNamedWithTheirLine) {
  EXPECT_THAT(Run("name: n\ninputs: []"), ElementsAre(HasSubstr("did you mean 'input'?")));
  EXPECT_THAT(Run("name: n"), ElementsAre("f.yaml, line 1: 'input' is missing"));
  EXPECT_THAT(Run("input: []"), ElementsAre("f.yaml, line 1: 'name' is missing"));
  EXPECT_THAT(Run("name: n\ninput: [{amount: x}]"),
              ElementsAre("f.yaml, line 2: 'x' is not a value of amount (double)"));
  EXPECT_THAT(Run("name: n\ninput: []\nrates: [{currency: A, valid_from: 2025-01-01, rate: x}]"),
              ElementsAre(HasSubstr("f.yaml, line 3: rate 'x' is not a number")));
  EXPECT_THAT(Run("name: n\ninput: []\nhorizon: soon"),
              ElementsAre("f.yaml, line 3: 'horizon' is a date such as 2025-10-24"));
  EXPECT_THAT(Run("name: n\ninput: []\nrules: [{name: a}]"),
              ElementsAre("f.yaml, line 3: 'owner' is missing"));
  EXPECT_THAT(Run("name: n\ninput: []\nsilver: [{amout: 5}]"),
              ElementsAre(HasSubstr("did you mean 'amount'?")));
  EXPECT_THAT(Run("name: n\ninput: []\ngold:\n  revenue_hourl: []"),
              ElementsAre("f.yaml, line 4: there is no Gold table 'revenue_hourl'; did you mean "
                          "'revenue_hourly'?"));
  EXPECT_THAT(Run("name: n\ninput: []\ngold:\n  revenue_hourly:\n  - {order: 1}"),
              ElementsAre("f.yaml, line 5: there is no column 'order'; did you mean 'orders'?"));
  EXPECT_THAT(Run("name: n\ninput: []\ngold: []"),
              ElementsAre("f.yaml, line 3: 'gold' names tables, each with a list of rows"));
  EXPECT_THAT(Run("name: [\n"), ElementsAre(HasSubstr("f.yaml, line ")));
  EXPECT_THAT(Run(""), ElementsAre("f.yaml has no fixture"));
}

}  // namespace
}  // namespace shopstream::refine
