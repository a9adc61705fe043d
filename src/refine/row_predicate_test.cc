#include "refine/row_predicate.h"

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "refine/columns.h"
#include "refine/testing.h"

namespace shopstream::refine {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<RowPredicate> Condition(const std::string& text) {
  return RowPredicate::Open(text, PurchaseBronzeSchema()).ValueOrDie();
}

std::string WhyRefused(const std::string& text) {
  return RowPredicate::Open(text, PurchaseBronzeSchema()).status().message();
}

std::vector<bool> Matches(const std::string& text, const std::string& purchases) {
  return Condition(text)->Matches(*testing::Purchases(purchases)).ValueOrDie();
}

TEST(RowPredicateTest, ARowMatchesByItsOwnValues) {
  EXPECT_THAT(Matches("quantity = 7", "[{quantity: 7}, {quantity: 8}, {quantity: 7}]"),
              ElementsAre(true, false, true));
  EXPECT_THAT(Matches("bronze_events.Quantity IN (8) OR region = 'EU'",
                      "[{quantity: 7, region: EU}, {quantity: 8, region: US}, "
                      "{quantity: 9, region: US}]"),
              ElementsAre(true, true, false));
  EXPECT_THAT(Matches("currency > 'E'", "[{currency: null}, {currency: EUR}]"),
              ElementsAre(false, true))
      << "null is no match";
  EXPECT_THAT(Matches("true -- all", "[{}, {}]"), ElementsAre(true, true));
}

TEST(RowPredicateTest, NamesTheColumnsThatItReads) {
  EXPECT_THAT(Condition("quantity = 7 AND lower(REGION) = 'eu'")->columns(),
              ElementsAre("quantity", "region"));
}

TEST(RowPredicateTest, LeavesOutFilesWithoutSuchRows) {
  const auto condition = Condition("date = '2025-10-24' AND quantity = 7");
  DataFile file;
  file.partition_values = {{"region", "EU"}, {"date", "2025-10-23"}};
  EXPECT_FALSE(condition->outline().MayMatch(file));
  file.partition_values = {{"region", "EU"}, {"date", "2025-10-24"}};
  EXPECT_TRUE(condition->outline().MayMatch(file));
}

TEST(RowPredicateTest, WhatIsNoConditionOfARowIsRefused) {
  EXPECT_THAT(WhyRefused("quantity +"), HasSubstr("is not valid SQL"));
  EXPECT_THAT(WhyRefused("quantity"), HasSubstr("is not a condition: its type is int64"));
  EXPECT_THAT(WhyRefused("quantty = 7"), HasSubstr("quantity")) << "names a near one";
  EXPECT_THAT(WhyRefused("true), (false"), HasSubstr("more than one expression"));
  EXPECT_THAT(WhyRefused("true); SELECT (true"), HasSubstr("more than one expression"));
  EXPECT_THAT(WhyRefused("true) FROM rates WHERE (true"), HasSubstr("more than one expression"));
  EXPECT_THAT(WhyRefused("timestamp < now()"), HasSubstr("another value each time"));
  EXPECT_THAT(WhyRefused("date < current_date"), HasSubstr("another value each time"));
  EXPECT_THAT(WhyRefused("quantity IN (SELECT 7)"), HasSubstr("has a SELECT in it"));
  EXPECT_THAT(WhyRefused("count(*) > 1"), HasSubstr("aggregate"));
  EXPECT_THAT(WhyRefused("quantity = ?"), HasSubstr("parameter"));
  EXPECT_THAT(WhyRefused("COLUMNS(*) IS NULL"), HasSubstr("*"));
}

TEST(RowPredicateTest, ATextIsCheckedWithoutColumns) {
  EXPECT_TRUE(RowPredicate::CheckText("amount > 100 AND lower(region) = 'us'").ok());
  for (const char* text : {"", "amount >", "a) , (b", "1) UNION SELECT (1", "a > 1; SELECT 1",
                           "a IN (SELECT 1)", "t > now()", "a > 1 AS x"}) {
    EXPECT_TRUE(RowPredicate::CheckText(text).IsInvalid()) << text;
  }
}

TEST(RowPredicateTest, AValueThatCannotBeComputedIsAnError) {
  const auto condition = Condition("CAST(currency AS INTEGER) = 7");
  EXPECT_THAT(condition->Matches(*testing::Purchases("[{currency: x}]")).status().message(),
              HasSubstr("cannot be computed"));
  EXPECT_THAT(condition->Matches(*testing::Purchases("[{currency: '7'}]")).ValueOrDie(),
              ElementsAre(true));
}

TEST(RowPredicateTest, AValueThatItCannotComputeIsAnErrorOrNoMatch) {
  const auto rows = testing::Purchases("[{region: EU}, {region: US}]");
  const std::string text = "CAST(region AS INTEGER) = 7";
  EXPECT_FALSE(Condition(text)->Matches(*rows).ok());
  const auto lenient = *RowPredicate::Open(text, rows->schema(), RowPredicate::OnError::kNoMatch);
  EXPECT_THAT(*lenient->Matches(*rows), Each(false));
}

TEST(RowPredicateTest, OneKnownColumnMatchesOnlyIfItMatters) {
  const auto matches = [](const std::string& text) {
    return Condition(text)
        ->MatchesAlone("quantity", {"7", "8", "seven", std::nullopt})
        .ValueOrDie();
  };
  EXPECT_THAT(matches("quantity = 7"), ElementsAre(true, false, false, false));
  EXPECT_THAT(matches("quantity = 7 OR region = 'EU'"), ElementsAre(false, false, false, false));
  EXPECT_THAT(matches("quantity = 7 AND region IS NULL"), ElementsAre(false, false, false, false))
      << "the region is not known";
  EXPECT_THAT(matches("quantity IS DISTINCT FROM 7"), ElementsAre(false, false, false, false));
  EXPECT_THAT(matches("quantity = 7 AND region = 'EU'"), ElementsAre(false, false, false, false));
  EXPECT_THAT(matches("region IS NULL"), ElementsAre(false, false, false, false));
}

}  // namespace
}  // namespace shopstream::refine
