#include "refine/stop_decision.h"

#include <gtest/gtest.h>

#include <string>

namespace shopstream::refine {
namespace {

Rules FivePercent() {
  Rules rules;
  Rule rule;
  rule.name = "sane_total";
  rule.action = Action::kStop;
  rules.rules.push_back(rule);
  rule.name = "a";
  rule.action = Action::kReject;
  rules.rules.push_back(rule);
  rules.stop_above = StopAbove{.percent = 5, .rows = 1000};
  return rules;
}

// "go on", "more rows: rule found" or "halt: rule found"
std::string Decide(const Tally& tally, const std::set<std::string>& accepted = {},
                   const Rules& rules = FivePercent()) {
  const StopDecision decision = DecideStop(tally, rules, accepted);
  if (decision.kind == StopDecision::Kind::kGoOn) return "go on";
  const bool halts = decision.kind == StopDecision::Kind::kHalt;
  return (halts ? "halt: " : "more rows: ") + decision.rule + " " + std::to_string(decision.found);
}

TEST(StopDecisionTest, OneRowOfAStopRuleHalts) {
  const Tally tally{.rows = 10, .by_reason = {{"sane_total", 1}}};
  EXPECT_EQ(Decide(tally), "halt: sane_total 1");
  EXPECT_EQ(Decide({.rows = 1000, .by_reason = {{"sane_total", 1}}}, {"sane_total"}), "go on");
}

TEST(StopDecisionTest, ARuleThatRejectsTooManyHalts) {
  EXPECT_EQ(Decide({.rows = 1000, .by_reason = {{"a", 50}}}), "go on") << "exactly 5 %";
  EXPECT_EQ(Decide({.rows = 1000, .by_reason = {{"a", 51}, {"b", 60}}}), "halt: b 60");
  EXPECT_EQ(Decide({.rows = 999, .by_reason = {{"a", 51}}}), "more rows: a 51");
  EXPECT_EQ(Decide({.rows = 1000, .by_reason = {{"a", 40}, {"b", 40}}}), "go on");
  EXPECT_EQ(Decide({}), "go on");
}

TEST(StopDecisionTest, WhatIsAcceptedDoesNotHalt) {
  const Tally tally{.rows = 1000, .by_reason = {{"a", 390}, {"b", 100}}};
  EXPECT_EQ(Decide(tally, {"b"}), "halt: a 390");
  EXPECT_EQ(Decide(tally, {"a"}), "halt: b 100");
  EXPECT_EQ(Decide(tally, {"a", "b"}), "go on");
}

TEST(StopDecisionTest, RepeatedRowsNeverHalt) {
  EXPECT_EQ(Decide({.rows = 1000, .by_reason = {{"duplicate", 900}, {"closed_date", 60}}}),
            "go on");
}

TEST(StopDecisionTest, WithoutALimitOnlyStopRulesHalt) {
  Rules rules = FivePercent();
  rules.stop_above.reset();
  EXPECT_EQ(Decide({.rows = 1000, .by_reason = {{"a", 1000}}}, {}, rules), "go on");
  EXPECT_EQ(Decide({.rows = 1000, .by_reason = {{"sane_total", 1}}}, {}, rules),
            "halt: sane_total 1");
}

}  // namespace
}  // namespace shopstream::refine
