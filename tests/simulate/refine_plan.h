#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "simulate/store.h"

namespace shopstream::simulate {

// One kind of action in a history of refine. `who` is a refine, 0 or 1, or a Kafka partition,
// depending on it.
enum class RefineDeed {
  kBuy,               // `amount` purchases in partition `who`.
  kAddPartition,      // To the topic.
  kRecreateTopic,     // It gets another id; what was in the old one stays in Bronze.
  kAddColumn,         // To purchases from now on.
  kReplayQuarantine,  // `amount` programs at the same time.
  kForeignAppend,     // Rows without coordinates.
  kCrashWriter,       // It is restarted later, like a refine.
  kCrashRefine,
  kStopRefine,            // Cleanly.
  kSuspendRefine,         // For `amount` milliseconds.
  kSuspendRefineAtWrite,  // The same at its next write to the store.
  kLoseIndex,             // Of the host of refine `who`, with refine. `amount`: how, see LoseIndex.
  kChangeRules,           // To the book of number `amount`.
  kRestate,               // Three dates from `amount` days ago on; kAllDates: all.
  kRetain,                // A number of days of a table, see kRetains.
  kErase,                 // The purchases of user `amount`.
  kAcceptHalt,            // If a stop rule halts refining.
  kCompact,               // Of all tables, by `amount` separate programs.
  kRewrite,      // Another program rewrites some files, `amount` times, as Spark's REORG does.
  kVacuum,       // Likewise, one.
  kStoreOut,     // For `amount` milliseconds.
  kRepliesLost,  // Likewise: calls take effect, but no reply arrives.
  kWallClock,    // Of refine `who`, by `amount` milliseconds.
  kSleep,        // Every machine for `amount` minutes.
  kOversleep,    // Refine `who` is suspended while the others work for `amount` minutes.
};

// As the amount of kRestate.
inline constexpr int64_t kAllDates = 10;

// The amounts of kRetain: for each number of days from 1 on, Bronze, Silver and the rejects.
inline constexpr int64_t kRetains = 12;

struct RefineAction {
  Millis at{0};  // Since the history began.
  RefineDeed deed = RefineDeed::kBuy;
  int who = 0;
  int64_t amount = 0;
};

// A whole history of refine in advance. The rest follows from the seed.
struct RefinePlan {
  static constexpr int kRefines = 2;
  static constexpr int kMostPartitions = 3;

  uint64_t seed = 0;
  std::vector<RefineAction> actions;  // In order of time.
  StoreFaults store;
  int64_t cut_rows = 20;  // The most rows that the writer commits at a time.
  int64_t pass_rows = 100;
  int refines = kRefines;
  bool by_ingest = false;  // Bronze is made by an ingest.
};

RefinePlan MakeRefinePlan(uint64_t seed);
std::string Describe(const RefineAction& action);

}  // namespace shopstream::simulate
