#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

// Decides what a refine does next, from what the tables hold. No I/O and no clock.
namespace shopstream::refine {

// A Gold file and the table that it makes.
struct GoldView {
  std::string table;
  // The last pass it holds. Nothing: there is no such table, or none that refine has built.
  std::optional<int64_t> pass;
  bool outdated = false;  // Built from another text of the file.

  bool operator==(const GoldView&) const = default;
};

// How far the tables are. Rejects are committed first, then Silver, then each Gold table, so that
//   rejects >= silver >= each Gold table >= rejects - 1
// and a new pass begins only when all are equal.
struct Standings {
  int64_t rejects = 0, silver = 0;  // The last pass that each holds; 0: none.
  std::vector<GoldView> gold = {};
  // The pass that the newest task is; 0: none. The task is open while a table lacks it.
  int64_t task = 0;
  bool task_kept = false;   // Rejects still record what the task does.
  bool halted = false;      // A stop rule has halted the next pass, and nobody has accepted it.
  bool work_waits = false;  // Bronze has what no pass has refined.

  // Whether all tables hold the same pass, and no task is open.
  bool IsComplete() const;
  bool operator==(const Standings&) const = default;
};

enum class NextKind {
  kFinishSilver,  // `pass` is in rejects but not in Silver.
  kFinishGold,    // `pass` is in Silver but not in the tables of `gold`.
  kBuildGold,     // The tables of `gold` are built anew, up to `pass`.
  kTaskRejects,   // The open task is pass `pass`, and rejects do not hold it yet.
  kTaskSilver,    // The same for Silver,
  kTaskGold,      // and for the tables of `gold`.
  kForgetTask,    // All tables hold the task.
  kBegin,         // A new pass, `pass`.
  kHalted,        // A new pass waits until an operator accepts what a stop rule found.
  kIdle,          // Everything is refined.
};

struct NextStep {
  NextKind kind = NextKind::kIdle;
  int64_t pass = 0;
  std::vector<std::string> gold = {};  // Tables.
};

// Invalid: the tables contradict each other, because one of them was restored or deleted; the
// message names it.
Result<NextStep> DecideNext(const Standings& standings);

// A refine that lost a pass to another one waits, and takes over when the other one stands still.
class Standby {
 public:
  static constexpr Millis kTakesOverAfter{10'000};
  static constexpr Millis kTakesTaskOverAfter{60'000};  // A step of a task takes longer.
  static Millis TakesOverAfter(const Standings& standings);

  // Another refine has committed the pass that this one was about to commit.
  void Begin(BootClock::time_point now) { still_since_ = now; }
  void End() { still_since_.reset(); }
  bool active() const { return still_since_.has_value(); }
  // Whether it still waits, having seen the tables now. They stand still only while work waits, or
  // a pass is unfinished.
  bool Waits(const Standings& standings, BootClock::time_point now);

 private:
  std::optional<BootClock::time_point> still_since_;
  Standings seen_;
};

}  // namespace shopstream::refine
