#include "simulate/plan.h"

#include <algorithm>

#include "simulate/chance.h"

namespace shopstream::simulate {
namespace {

constexpr int64_t kLengthMillis = 40'000;

const char* Name(Deed deed) {
  switch (deed) {
    case Deed::kProduce:
      return "produce";
    case Deed::kProduceOpen:
      return "produce in a transaction";
    case Deed::kCommitTransaction:
      return "commit the transaction";
    case Deed::kAbortTransaction:
      return "abort the transaction";
    case Deed::kCrash:
      return "crash";
    case Deed::kStop:
      return "stop";
    case Deed::kSuspend:
      return "suspend";
    case Deed::kSuspendWriter:
      return "suspend at a write";
    case Deed::kLosePartitions:
      return "lose partitions";
    case Deed::kExpire:
      return "expire";
    case Deed::kExpireUnread:
      return "produce and expire";
    case Deed::kElect:
      return "elect a leader";
    case Deed::kLoseLeader:
      return "lose the leader";
    case Deed::kTruncate:
      return "truncate";
    case Deed::kTruncateAndGrow:
      return "truncate and grow";
    case Deed::kRestore:
      return "restore a backup";
    case Deed::kCorrupt:
      return "corrupt an offset";
    case Deed::kAcceptLoss:
      return "accept losses";
    case Deed::kRecreateTopic:
      return "re-create the topic";
    case Deed::kRegistryOut:
      return "registry out";
    case Deed::kStoreOut:
      return "store out";
    case Deed::kRepliesLost:
      return "replies lost";
    case Deed::kRegister:
      return "register the late schema";
    case Deed::kReplay:
      return "replay quarantine";
    case Deed::kCompact:
      return "compact";
    case Deed::kVacuum:
      return "vacuum";
    case Deed::kWallClock:
      return "move the wall clock";
    case Deed::kSleep:
      return "all machines sleep";
  }
  return "";
}

struct Habit {
  Deed deed;
  double expected;    // Per history.
  int64_t low, high;  // Of `amount`.
};

constexpr Habit kHabits[] = {
    {Deed::kCrash, 1.0, 0, 0},
    {Deed::kStop, 0.5, 0, 0},
    {Deed::kSuspend, 0.5, 1000, 30'000},
    {Deed::kSuspendWriter, 0.7, 1000, 40'000},
    {Deed::kSuspendWriter, 0.7, 10'500, 16'000},  // A little longer than a session.
    {Deed::kLosePartitions, 0.7, 0, 0},
    {Deed::kExpire, 0.3, 1, 30},
    {Deed::kExpireUnread, 0.2, 1, 10},
    {Deed::kElect, 0.8, 0, 0},
    {Deed::kLoseLeader, 0.3, 500, 20'000},
    {Deed::kTruncate, 0.2, 1, 20},
    {Deed::kTruncateAndGrow, 0.2, 1, 20},
    {Deed::kRestore, 0.2, 1, 30},
    {Deed::kCorrupt, 0.2, 1000, 30'000},
    {Deed::kAcceptLoss, 0.4, 0, 0},
    {Deed::kRecreateTopic, 0.1, 0, 0},
    {Deed::kRegistryOut, 0.4, 500, 8000},
    {Deed::kStoreOut, 0.3, 500, 15'000},
    {Deed::kRepliesLost, 0.4, 500, 25'000},
    {Deed::kRegister, 0.8, 0, 0},
    {Deed::kReplay, 1.0, 1, 2},
    {Deed::kCompact, 0.8, 1, 3},
    {Deed::kVacuum, 0.4, 0, 0},
    {Deed::kWallClock, 0.2, -5000, 5000},
    {Deed::kSleep, 0.3, 1, 60 * 40},
};

bool OfPartition(Deed deed) {
  switch (deed) {
    case Deed::kExpire:
    case Deed::kExpireUnread:
    case Deed::kElect:
    case Deed::kLoseLeader:
    case Deed::kTruncate:
    case Deed::kTruncateAndGrow:
    case Deed::kRestore:
    case Deed::kCorrupt:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string Describe(const Action& action) {
  return std::to_string(action.at.count()) + " ms: " + Name(action.deed) + " " +
         std::to_string(action.who) + " (" + std::to_string(action.amount) + ")";
}

Plan MakePlan(uint64_t seed) {
  Chance chance(seed ^ 0x5eed);
  Plan plan;
  plan.seed = seed;
  const auto add = [&](Deed deed, int who, int64_t amount) {
    plan.actions.push_back({Millis{chance.Below(kLengthMillis)}, deed, who, amount});
  };
  int64_t records = 0;
  while (records < Plan::kLeastRecords) {
    const int64_t amount = chance.Between(2, 20);
    const bool open = chance.Once(0.15);
    const int partition = static_cast<int>(chance.Below(Plan::kPartitions));
    add(open ? Deed::kProduceOpen : Deed::kProduce, partition, amount);
    if (open)
      add(chance.Once(0.7) ? Deed::kCommitTransaction : Deed::kAbortTransaction, partition, 0);
    records += amount;
  }
  for (const Habit& habit : kHabits) {
    for (double left = habit.expected * 2; left > 0; left -= 1) {
      if (!chance.Once(std::min(left, 1.0) / 2)) continue;
      const bool of_partition = OfPartition(habit.deed);
      add(habit.deed,
          static_cast<int>(chance.Below(of_partition ? Plan::kPartitions : Plan::kIngests)),
          chance.Between(habit.low, habit.high));
    }
  }
  std::stable_sort(plan.actions.begin(), plan.actions.end(),
                   [](const Action& a, const Action& b) { return a.at < b.at; });
  // Some worlds have few faults, so that each fault also occurs alone.
  const double trouble = chance.Once(0.2) ? 0 : static_cast<double>(chance.Below(100)) / 100;
  const auto rate = [&](double most) {
    return chance.Once(0.5) ? trouble * most * static_cast<double>(chance.Below(100)) / 100 : 0;
  };
  plan.store = {.fails_before = rate(0.04),
                .loses_reply = rate(0.06),
                .tears = rate(0.03),
                .lands_late = rate(0.03),
                .is_slow = rate(0.10),
                .crashes = rate(0.02)};
  plan.metadata_fails = rate(0.1);
  plan.registry_denies = rate(0.3);
  plan.batch_size = chance.Between(3, 25);
  plan.commit_interval = Millis{chance.Between(300, 1500)};
  plan.lake_exists = chance.Once(0.75);
  plan.side_tables = seed % 7 >= 5;
  return plan;
}

}  // namespace shopstream::simulate
