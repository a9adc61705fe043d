#include "refine/next_step.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/join.h"

namespace shopstream::refine {
namespace {

using ::testing::HasSubstr;

const char* Name(NextKind kind) {
  switch (kind) {
    case NextKind::kFinishSilver:
      return "finish silver";
    case NextKind::kFinishGold:
      return "finish gold";
    case NextKind::kBuildGold:
      return "build gold";
    case NextKind::kTaskRejects:
      return "task in rejects";
    case NextKind::kTaskSilver:
      return "task in silver";
    case NextKind::kTaskGold:
      return "task in gold";
    case NextKind::kForgetTask:
      return "forget task";
    case NextKind::kBegin:
      return "begin";
    case NextKind::kHalted:
      return "halted";
    case NextKind::kIdle:
      return "idle";
  }
  return "";
}

// "begin 4", "build gold 3: a b"
std::string Next(const Standings& view) {
  const auto next = DecideNext(view);
  if (!next.ok()) return next.status().message();
  std::string text = std::string(Name(next->kind)) + " " + std::to_string(next->pass);
  return next->gold.empty() ? text : text + ": " + Joined(next->gold, " ");
}

TEST(NextStepTest, APassBeginsOnceAllTablesHoldTheLastOne) {
  EXPECT_EQ(Next({.work_waits = true}), "begin 1");
  EXPECT_EQ(Next({.rejects = 3, .silver = 3, .work_waits = true}), "begin 4");
  EXPECT_EQ(Next({.rejects = 3, .silver = 3, .gold = {{"a", 3}}, .work_waits = true}), "begin 4");
  EXPECT_EQ(Next({.rejects = 3, .silver = 3, .gold = {{"a", 3}}}), "idle 3");
}

TEST(NextStepTest, AnUnfinishedPassComesFirst) {
  EXPECT_EQ(Next({.rejects = 1, .silver = 0}), "finish silver 1");
  EXPECT_EQ(Next({.rejects = 4, .silver = 3, .gold = {{"a", 3}}, .work_waits = true}),
            "finish silver 4");
  EXPECT_EQ(Next({.rejects = 4, .silver = 4, .gold = {{"a", 3}, {"b", 4}, {"c", 3}}}),
            "finish gold 4: a c");
}

TEST(NextStepTest, AnOpenTaskIsFinishedBeforeAnotherPass) {
  const std::vector<GoldView> three = {{"a", 3}, {"b", 3}}, mixed = {{"a", 3}, {"b", 4}};
  EXPECT_EQ(Next({.rejects = 3,
                  .silver = 3,
                  .gold = three,
                  .task = 4,
                  .task_kept = true,
                  .work_waits = true}),
            "task in rejects 4");
  EXPECT_EQ(Next({.rejects = 4, .silver = 3, .gold = three, .task = 4, .task_kept = true}),
            "task in silver 4");
  EXPECT_EQ(Next({.rejects = 4, .silver = 4, .gold = mixed, .task = 4, .task_kept = true}),
            "task in gold 4: a");
  EXPECT_EQ(Next({.rejects = 4, .silver = 4, .gold = mixed, .task = 4}), "build gold 4: a")
      << "its file was away while the task was done and forgotten";
  EXPECT_EQ(Next({.rejects = 4, .silver = 4, .gold = {{"b", 4}}, .task = 4, .task_kept = true}),
            "forget task 4");
  EXPECT_EQ(Next({.rejects = 4, .silver = 4, .task = 4, .work_waits = true}), "begin 5");
  EXPECT_EQ(Next({.rejects = 5, .silver = 4, .task = 4}), "finish silver 5");
  EXPECT_THAT(Next({.rejects = 3, .silver = 3, .task = 5}), HasSubstr("open task is pass 5"));
}

TEST(NextStepTest, TheTaskComesBeforeTheBuildOfAGoldTable) {
  EXPECT_EQ(Next({.rejects = 3, .silver = 3, .gold = {{"a", 3}, {"b", {}}}, .task = 4}),
            "task in rejects 4");
  EXPECT_EQ(Next({.rejects = 4, .silver = 4, .gold = {{"a", 4}, {"b", {}}}, .task = 4}),
            "build gold 4: b");
}

TEST(NextStepTest, AGoldTableThatIsAbsentOutdatedOrFarBehindIsBuilt) {
  EXPECT_EQ(Next({.gold = {{"a", {}}}, .work_waits = true}), "build gold 0: a");
  EXPECT_EQ(Next({.gold = {{"a", 0}}, .work_waits = true}), "begin 1");
  EXPECT_EQ(
      Next({.rejects = 4, .silver = 4, .gold = {{"a", 4, true}, {"b", 4}, {"c", 2}, {"d", {}}}}),
      "build gold 4: a c d");
  // What others await is finished first.
  EXPECT_EQ(Next({.rejects = 4, .silver = 4, .gold = {{"a", {}}, {"b", 3}}}), "finish gold 4: b");
  // A table of another text is built whatever it holds.
  EXPECT_EQ(Next({.rejects = 4, .silver = 4, .gold = {{"a", 9, true}}}), "build gold 4: a");
}

TEST(NextStepTest, AHaltStopsNewPassesOnly) {
  EXPECT_EQ(Next({.rejects = 4, .silver = 3, .halted = true, .work_waits = true}),
            "finish silver 4");
  EXPECT_EQ(Next({.rejects = 4, .silver = 4, .halted = true, .work_waits = true}), "halted 5");
  EXPECT_EQ(Next({.rejects = 4, .silver = 4, .halted = true}), "idle 4");
}

TEST(NextStepTest, TablesThatContradictEachOtherAreNamed) {
  EXPECT_THAT(Next({.rejects = 3, .silver = 4}),
              HasSubstr("Silver holds pass 4 while the rejects hold pass 3"));
  EXPECT_THAT(Next({.rejects = 5, .silver = 3}),
              HasSubstr("Silver holds pass 3 while the rejects hold pass 5, two or more ahead"));
  EXPECT_THAT(Next({.rejects = 5, .silver = 5, .gold = {{"gold-metrics/a", 6}}}),
              HasSubstr("table gold-metrics/a holds pass 6 while Silver holds pass 5"));
}

class StandbyTest : public ::testing::Test {
 protected:
  bool Waits(Standings view, int64_t at_ms) {
    return standby_.Waits(view, BootClock::time_point(Millis{at_ms}));
  }
  Standby standby_;
  const Standings three_{.rejects = 3, .silver = 3, .work_waits = true};
  const Standings four_{.rejects = 4, .silver = 3, .work_waits = true};
};

TEST_F(StandbyTest, TakesOverWhenTheTablesStandStillForTenSeconds) {
  EXPECT_FALSE(Waits(three_, 0)) << "nothing was lost yet";
  standby_.Begin(BootClock::time_point(Millis{0}));
  EXPECT_TRUE(Waits(three_, 1'000));
  EXPECT_TRUE(Waits(four_, 9'000)) << "the other one goes on";
  EXPECT_TRUE(Waits(four_, 18'999));
  EXPECT_FALSE(Waits(four_, 19'000));
  EXPECT_FALSE(standby_.active());
}

TEST_F(StandbyTest, WithoutWorkNobodyStandsStill) {
  standby_.Begin(BootClock::time_point(Millis{0}));
  Standings idle = three_;
  idle.work_waits = false;
  EXPECT_TRUE(Waits(idle, 60'000));
  EXPECT_TRUE(Waits(three_, 61'000)) << "work has only just come";
  EXPECT_TRUE(Waits(three_, 70'999));
  EXPECT_FALSE(Waits(three_, 71'000));
}

TEST_F(StandbyTest, AnUnfinishedPassIsWork) {
  standby_.Begin(BootClock::time_point(Millis{0}));
  Standings unfinished = four_;
  unfinished.work_waits = false;
  EXPECT_TRUE(Waits(unfinished, 1'000));
  EXPECT_FALSE(Waits(unfinished, 11'000));
}

TEST_F(StandbyTest, ATaskThatIsNotForgottenIsWork) {
  standby_.Begin(BootClock::time_point(Millis{0}));
  Standings kept = three_;
  kept.work_waits = false;
  kept.task_kept = true;
  EXPECT_TRUE(Waits(kept, 1'000));
  EXPECT_FALSE(Waits(kept, 11'000));
}

TEST_F(StandbyTest, ATaskIsGivenMoreTime) {
  standby_.Begin(BootClock::time_point(Millis{0}));
  Standings open = three_;
  open.task = open.rejects + 1;
  EXPECT_TRUE(Waits(open, 1'000));
  EXPECT_TRUE(Waits(open, 60'000));
  EXPECT_FALSE(Waits(open, 61'000));
}

}  // namespace
}  // namespace shopstream::refine
