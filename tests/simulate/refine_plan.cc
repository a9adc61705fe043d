#include "simulate/refine_plan.h"

#include <algorithm>

#include "simulate/chance.h"
#include "simulate/rule_texts.h"

namespace shopstream::simulate {
namespace {

constexpr int64_t kRefineLengthMillis = 34'000;
constexpr int64_t kLeastPurchases = 130;

const char* Name(RefineDeed deed) {
  switch (deed) {
    case RefineDeed::kBuy:
      return "buy";
    case RefineDeed::kAddPartition:
      return "add a partition";
    case RefineDeed::kRecreateTopic:
      return "re-create the topic";
    case RefineDeed::kAddColumn:
      return "add a column";
    case RefineDeed::kReplayQuarantine:
      return "replay quarantine";
    case RefineDeed::kForeignAppend:
      return "append foreign rows";
    case RefineDeed::kCrashWriter:
      return "crash the writer";
    case RefineDeed::kCrashRefine:
      return "crash";
    case RefineDeed::kStopRefine:
      return "stop";
    case RefineDeed::kSuspendRefine:
      return "suspend";
    case RefineDeed::kSuspendRefineAtWrite:
      return "suspend at a write";
    case RefineDeed::kLoseIndex:
      return "lose the index";
    case RefineDeed::kChangeRules:
      return "change the rules";
    case RefineDeed::kRestate:
      return "restate";
    case RefineDeed::kRetain:
      return "retain";
    case RefineDeed::kErase:
      return "erase";
    case RefineDeed::kAcceptHalt:
      return "accept a halt";
    case RefineDeed::kCompact:
      return "compact";
    case RefineDeed::kRewrite:
      return "rewrite files";
    case RefineDeed::kVacuum:
      return "vacuum";
    case RefineDeed::kStoreOut:
      return "store out";
    case RefineDeed::kRepliesLost:
      return "replies lost";
    case RefineDeed::kWallClock:
      return "move the wall clock";
    case RefineDeed::kSleep:
      return "all machines sleep";
    case RefineDeed::kOversleep:
      return "oversleep";
  }
  return "";
}

struct RefineHabit {
  RefineDeed deed;
  double expected;    // Per history.
  int64_t low, high;  // Of `amount`.
};

constexpr RefineHabit kRefineHabits[] = {
    {RefineDeed::kAddPartition, 0.8, 0, 0},
    {RefineDeed::kRecreateTopic, 0.3, 0, 0},
    {RefineDeed::kAddColumn, 0.6, 0, 0},
    {RefineDeed::kReplayQuarantine, 1.5, 1, 2},
    {RefineDeed::kForeignAppend, 0.3, 1, 3},
    {RefineDeed::kCrashWriter, 0.3, 0, 0},
    {RefineDeed::kCrashRefine, 1.2, 0, 0},
    {RefineDeed::kStopRefine, 0.3, 0, 0},
    {RefineDeed::kSuspendRefine, 0.7, 1000, 30'000},
    {RefineDeed::kSuspendRefineAtWrite, 0.9, 5000, 25'000},
    {RefineDeed::kLoseIndex, 0.6, 0, 2},
    {RefineDeed::kChangeRules, 0.7, 0, kRuleTexts - 1},
    {RefineDeed::kRestate, 0.8, 0, kAllDates},
    {RefineDeed::kRetain, 0.6, 0, kRetains - 1},
    {RefineDeed::kErase, 0.4, 1, 12},
    {RefineDeed::kAcceptHalt, 0.5, 0, 0},
    {RefineDeed::kCompact, 1.0, 1, 2},
    {RefineDeed::kRewrite, 0.4, 1, 6},
    {RefineDeed::kVacuum, 0.4, 0, 0},
    {RefineDeed::kStoreOut, 0.3, 500, 15'000},
    {RefineDeed::kRepliesLost, 0.4, 500, 20'000},
    {RefineDeed::kWallClock, 0.2, -5000, 5000},
    {RefineDeed::kSleep, 0.2, 1, 60 * 40},
    // Less than vacuum waits for orphans: a program that freezes for longer between its last look
    // and its commit names files that are gone, whatever it checked before.
    {RefineDeed::kOversleep, 0.2, 60 * 5, 60 * 20},
};

bool OfPartition(RefineDeed deed) { return deed == RefineDeed::kBuy; }

}  // namespace

std::string Describe(const RefineAction& action) {
  return std::to_string(action.at.count()) + " ms: " + Name(action.deed) + " " +
         std::to_string(action.who) + " (" + std::to_string(action.amount) + ")";
}

RefinePlan MakeRefinePlan(uint64_t seed) {
  Chance chance(seed ^ 0x4ef17e);
  RefinePlan plan;
  plan.seed = seed;
  const auto add = [&](RefineDeed deed, int who, int64_t amount) {
    plan.actions.push_back({Millis{chance.Below(kRefineLengthMillis)}, deed, who, amount});
  };
  for (int64_t bought = 0; bought < kLeastPurchases;) {
    const int64_t amount = chance.Between(3, 25);
    add(RefineDeed::kBuy, static_cast<int>(chance.Below(RefinePlan::kMostPartitions)), amount);
    bought += amount;
  }
  for (const RefineHabit& habit : kRefineHabits) {
    for (double left = habit.expected * 2; left > 0; left -= 1) {
      if (!chance.Once(std::min(left, 1.0) / 2)) continue;
      const int many = OfPartition(habit.deed) ? RefinePlan::kMostPartitions : RefinePlan::kRefines;
      add(habit.deed, static_cast<int>(chance.Below(many)), chance.Between(habit.low, habit.high));
    }
  }
  std::stable_sort(plan.actions.begin(), plan.actions.end(),
                   [](const RefineAction& a, const RefineAction& b) { return a.at < b.at; });
  // Some worlds have few faults, so that each fault also occurs alone.
  const double trouble = chance.Once(0.2) ? 0 : static_cast<double>(chance.Below(100)) / 100;
  const auto rate = [&](double most) {
    return chance.Once(0.5) ? trouble * most * static_cast<double>(chance.Below(100)) / 100 : 0;
  };
  plan.store = {.fails_before = rate(0.03),
                .loses_reply = rate(0.05),
                .tears = rate(0.03),
                .lands_late = rate(0.03),
                .is_slow = rate(0.06),
                .crashes = rate(0.01)};
  plan.cut_rows = chance.Between(10, 60);
  plan.pass_rows = chance.Once(0.3) ? chance.Between(10, 40) : 1000;
  plan.by_ingest = seed % 10 == 0;
  plan.refines = chance.Once(0.6) ? RefinePlan::kRefines : 1;
  return plan;
}

}  // namespace shopstream::simulate
