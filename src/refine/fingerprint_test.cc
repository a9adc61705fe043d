#include "refine/fingerprint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "refine/testing.h"

namespace shopstream::refine {
namespace {

using testing::Book;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kRules[] = R"(
rules:
  - {name: a, owner: o, description: d, action: reject, range: {column: amount, above: 0}}
  - {name: b, owner: o, description: d, action: warn,
     reference: {column: currency, table: rates, key: currency}}
)";

Fingerprint Of(const RuleBook& book) {
  return FingerprintOf(book.rules, book.lookups, book.silver.text, book.late_after_seconds);
}

TEST(Fingerprint, WhatDecidesNothingChangesNothing) {
  const Fingerprint before = Of(*Book(kRules));
  const Fingerprint after = Of(*Book(R"(# A comment.
rules:
  - {name: b, owner: another, description: Other words., action: warn,
     reference: {key: currency, table: rates, column: currency}}
  - {name: a, owner: o, description: d, action: reject, range: {column: amount, above: 0}}
)"));
  EXPECT_THAT(ChangedParts(before, after), IsEmpty());
  EXPECT_EQ(ShortHash(before), ShortHash(after));
  EXPECT_EQ(16, ShortHash(before).size());
}

TEST(Fingerprint, EachPartThatDecidesIsNamed) {
  const auto book = Book(kRules);
  const Fingerprint before = Of(*book);
  const auto changed = [&](const auto& change) {
    RuleBook other = *book;
    change(&other);
    EXPECT_NE(ShortHash(before), ShortHash(Of(other)));
    return ChangedParts(before, Of(other));
  };
  EXPECT_THAT(changed([](RuleBook* other) { other->rules.rules[0].action = Action::kWarn; }),
              ElementsAre("rule a"));
  EXPECT_THAT(changed([](RuleBook* other) {
                std::get<Range>(other->rules.rules[0].condition).above = "1";
              }),
              ElementsAre("rule a"));
  EXPECT_THAT(changed([](RuleBook* other) {
                std::get<Reference>(other->rules.rules[1].condition).key = "valid_from";
              }),
              ElementsAre("rule b"));
  EXPECT_THAT(changed([](RuleBook* other) { other->rules.rules[1].name = "c"; }),
              ElementsAre("rule c", "rule b"));
  EXPECT_THAT(changed([](RuleBook* other) { other->late_after_seconds = 1; }),
              ElementsAre("late_after_seconds"));
  EXPECT_THAT(changed([](RuleBook* other) { other->silver.text += " "; }),
              ElementsAre("silver.sql"));
  EXPECT_THAT(
      changed([](RuleBook* other) { other->lookups.rates = other->lookups.rates->Slice(1); }),
      ElementsAre("rates"));
  EXPECT_THAT(changed([](RuleBook* other) {
                other->lookups.categories = CategoriesTable({{"P1", "Tea"}}).ValueOrDie();
              }),
              ElementsAre("product categories"));
}

}  // namespace
}  // namespace shopstream::refine
