#pragma once

#include <arrow/array.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "lake/upkeep/row_removal.h"
#include "refine/columns.h"
#include "refine/fingerprint.h"
#include "refine/fingerprint_uses.h"
#include "refine/gold_tables.h"
#include "refine/judged_rows.h"
#include "refine/next_step.h"
#include "refine/pass.h"
#include "refine/pass_input.h"
#include "refine/pass_judge.h"
#include "refine/pass_plan.h"
#include "refine/refine_stats.h"
#include "refine/refine_tables.h"
#include "refine/restate.h"
#include "refine/silver_ids.h"
#include "tables/quarantine_choice.h"
#include "tables/refine_halt.h"
#include "tables/refine_state.h"
#include "tables/refine_task.h"

namespace shopstream::refine {

// Dates whose rows are judged again, bounds included; without bounds all, also rows without a date.
struct DatesToRestate {
  std::optional<int32_t> from, to;  // Days since 1970.
};

struct RefinerOptions {
  int64_t pass_rows = 500'000;
  int64_t row_bytes = 128 << 20;  // Of the rows of a pass, in memory.
  Millis commit_deadline{10'000};
  // How long a pass of too many refused rows waits for more rows, which may tell otherwise. Zero:
  // it is judged as it is.
  Millis wait_for_rows{0};
  bool until_caught_up = false;  // With what Bronze has at the first step.
  // Restates these dates and begins no pass.
  std::optional<DatesToRestate> restate = std::nullopt;
  // Only this task, instead of further passes. With a pass: one that is open, to be finished.
  std::optional<tables::RefineTask> task = std::nullopt;
};

// The parts that a refiner uses; all borrowed, all outlive it.
struct RefinerParts {
  lake::ObjectStore* store = nullptr;
  const RefineTables* tables = nullptr;
  PassJudge* judge = nullptr;
  SilverIds* ids = nullptr;
  GoldTables* gold = nullptr;
  RefineStats* stats = nullptr;
  tables::EraseQuarantine erase_quarantine = {};  // Empty: there is no quarantine.
  lake::RemovalOptions search = {};               // Of an erase, which may read whole tables.
};

enum class StepOutcome {
  kWorked,   // Look again immediately.
  kPassed,   // A pass took all that Bronze had.
  kIdle,     // Everything is refined, or what was asked for.
  kStandby,  // Another refine works.
  kWaiting,  // For more rows; see wait_for_rows.
  kHalted,   // By a stop rule; see halt().
};

// Bronze to Silver, rejects and Gold, exactly once. It keeps nothing that the tables do not show,
// so that after an error, or the death of any refine, the next step of any refine goes on. One
// thread.
class Refiner {
 public:
  Refiner(RefinerParts parts, RefinerOptions options);

  // Looks at the tables and takes one step. Unavailable, Gone: repeat it. Others: it fails again
  // until somebody has changed something; nothing is half-done that another step would not finish.
  // Cancelled: an erase was stopped by its search.
  Result<StepOutcome> Step();

  RefineStats& stats() const { return *parts_.stats; }
  // The one that stops the next pass.
  const std::optional<tables::RefineHalt>& halt() const { return halt_; }
  // The pass of the task that this refine reserved last, or was told to finish.
  std::optional<int64_t> task_pass() const { return reserved_; }

 private:
  struct PassInHand;

  Status Look();
  // Before rows of Bronze are read. Invalid: it is of another history than the last pass.
  Status CheckBronze();
  void StandByIfOvertaken();
  void StandBy();
  Result<StepOutcome> Take(const NextStep& next);
  Result<StepOutcome> Begin(int64_t pass);
  Result<PassRows> ReadRows(PassPlan* plan);
  bool WaitsForRows(const PassPlan& plan);
  Result<StepOutcome> Halt(const StopDecision& stop, const PassInHand& hand);
  Result<StepOutcome> Commit(PassInHand* hand);
  Result<bool> CommitSilver(const RefineColumns& columns, const JudgedRows& judged,
                            const tables::RefineStanding& after);
  Result<StepOutcome> FinishSilver(int64_t pass);
  // Silver's columns of a pass are computed by the rules in force, which need not be those that
  // decided it. False: another refine has committed meanwhile.
  Result<bool> RecordRules(int64_t pass);
  void LogOtherRules(const std::vector<FingerprintUse>& known, int64_t pass);
  Status CommitGold(const std::vector<std::string>& gold, const RefineColumns& columns,
                    const GoldInput& input);
  Status FinishGold(const std::vector<std::string>& gold);
  Status BuildGold(const std::vector<std::string>& gold);
  // Whether every table holds the last pass, and nothing is left of it or of a task.
  static bool IsFree(NextKind next);
  Result<StepOutcome> ReserveRestate();
  Result<StepOutcome> ReserveGivenTask();
  Result<StepOutcome> Reserve(tables::RefineTask task);
  void OnReserved();
  Result<StepOutcome> TaskInRejects(int64_t pass);
  Result<StepOutcome> TaskInSilver(int64_t pass);
  Result<StepOutcome> EraseInRejects(const tables::RefineTask& task);
  Result<StepOutcome> EraseInSilver(const tables::RefineTask& task);
  Result<StepOutcome> RetainInRejects(const tables::RefineTask& task);
  Result<StepOutcome> RetainInSilver(const tables::RefineTask& task);
  Status ReleaseBronze(const tables::RefineTask& task);
  Status TaskInGold(const std::vector<std::string>& gold);
  Result<bool> CommitTask(lake::Table* table, const PassChanges& changes);
  Result<StepOutcome> ForgetTask();
  Result<tables::RefineTask> OpenTask(int64_t pass) const;
  Restate Restater() const;
  GoldSources Sources() const;
  Result<RefineColumns> Columns() const;
  // Of the rules in force, with and without what only halts.
  std::string Fingerprint() const;
  std::string HaltFingerprint() const;
  // Whether all tables hold what Bronze had at the first step.
  bool CaughtUp() const;
  int64_t RowsToRefine() const;
  bool TimeIsBehind() const;
  BootClock::time_point Deadline() const { return BootClock::now() + options_.commit_deadline; }

  const RefinerParts parts_;
  const RefinerOptions options_;
  const int64_t author_;
  // As of the last look.
  std::shared_ptr<const lake::Snapshot> bronze_;
  tables::RefineStanding rejects_, silver_;
  Standings standings_;
  PassPlan plan_;
  std::optional<tables::RefineHalt> halt_;  // Of the next pass.
  std::optional<tables::RefineTask> task_;  // Open, or to be forgotten.

  std::optional<std::map<tables::ProgressKey, int64_t>> target_;  // Bronze's at the first step.
  Standby standby_;
  refine::Fingerprint used_rules_;  // By the last pass of this refine; empty: it made none.
  std::optional<int64_t> seen_pass_, seen_task_;  // What rejects had at the last look.
  // Not known yet whether it was reserved; the next look shows it.
  std::optional<tables::RefineTask> attempted_;
  std::optional<int64_t> reserved_;  // The task that this refine reserved last.
  // Nothing: they are not known yet. Those that are reserved are no longer among them.
  std::optional<std::vector<std::vector<Date>>> groups_to_restate_;
  // A version of Bronze up to which there is nothing for a pass, although its progress is ahead.
  int64_t nothing_up_to_ = -1;
  // The pass that waits for more rows, and since when.
  struct Wait {
    int64_t pass = 0;
    BootClock::time_point since;
  };
  std::optional<Wait> wait_;
};

}  // namespace shopstream::refine
