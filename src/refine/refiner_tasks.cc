#include <algorithm>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/log.h"
#include "base/runtime.h"
#include "model/calendar.h"
#include "refine/fingerprint_uses.h"
#include "refine/gold_table.h"
#include "refine/refiner.h"

// The steps of tasks.
namespace shopstream::refine {
namespace {

constexpr char kForgetOperation[] = "FORGET TASK";

// "2025-10-01..2025-10-03"
std::string Described(const std::set<Date>& dates) {
  if (dates.empty()) return "no date";
  const auto text = [](const Date& date) { return date ? FormatDate(*date) : "no date"; };
  const std::string first = text(*dates.begin()), last = text(*dates.rbegin());
  return first == last ? first : first + ".." + last;
}

}  // namespace

bool Refiner::IsFree(NextKind next) {
  return next == NextKind::kBegin || next == NextKind::kIdle || next == NextKind::kHalted;
}

Result<StepOutcome> Refiner::ReserveRestate() {
  if (!groups_to_restate_) {
    ARROW_ASSIGN_OR_RAISE(groups_to_restate_,
                          GroupsToRestate(*parts_.tables, options_.restate->from,
                                          options_.restate->to, options_.pass_rows));
  }
  if (groups_to_restate_->empty()) return StepOutcome::kIdle;
  // A table may have lost dates since the groups were made, or since the last of them was restated.
  ARROW_ASSIGN_OR_RAISE(const auto first, FirstDateToRestate(*parts_.tables));
  std::vector<Date>& dates = groups_to_restate_->front();
  std::erase_if(dates, [&](Date date) { return date && date < first; });
  if (dates.empty()) {
    groups_to_restate_->erase(groups_to_restate_->begin());
    return StepOutcome::kWorked;
  }
  return Reserve(
      {.kind = tables::TaskKind::kRestate, .dates = std::set<Date>(dates.begin(), dates.end())});
}

Result<StepOutcome> Refiner::ReserveGivenTask() {
  return reserved_ ? StepOutcome::kIdle : Reserve(*options_.task);
}

Result<StepOutcome> Refiner::Reserve(tables::RefineTask task) {
  task.pass = standings_.rejects + 1;
  task.at_ms = WallClockMillis();
  attempted_ = task;
  ARROW_ASSIGN_OR_RAISE(const PassOutcome outcome,
                        ReserveTask(parts_.tables->rejects.get(), task, Deadline()));
  if (outcome == PassOutcome::kDone) OnReserved();
  if (outcome == PassOutcome::kLost) attempted_.reset();
  return StepOutcome::kWorked;
}

// The others stand by for it.
void Refiner::OnReserved() {
  reserved_ = attempted_->pass;
  attempted_.reset();
  standby_.End();
  if (groups_to_restate_) groups_to_restate_->erase(groups_to_restate_->begin());
}

Result<tables::RefineTask> Refiner::OpenTask(int64_t pass) const {
  if (task_ && task_->pass == pass) return *task_;
  return Status::Invalid("table ", parts_.tables->rejects->path(), " reserves pass ", pass,
                         " for a task, but its property shopstream.refine.task does not say which: "
                         "another program changed it. Restore the table to the version before, "
                         "which has it");
}

Restate Refiner::Restater() const {
  return Restate(parts_.store, *parts_.tables, parts_.judge, parts_.ids, rejects_,
                 {.rows = options_.pass_rows, .bytes = options_.row_bytes});
}

Result<StepOutcome> Refiner::TaskInRejects(int64_t pass) {
  ARROW_ASSIGN_OR_RAISE(const tables::RefineTask task, OpenTask(pass));
  if (task.kind == tables::TaskKind::kErase) return EraseInRejects(task);
  if (tables::RemovesDates(task)) return RetainInRejects(task);
  ARROW_RETURN_NOT_OK(CheckBronze());
  ARROW_ASSIGN_OR_RAISE(const RefineColumns columns, Columns());
  lake::Table* const rejects = parts_.tables->rejects.get();
  PassChanges changes{.standing = rejects_, .columns = columns.rejects};
  changes.standing.pass = pass;
  changes.standing.author = author_;
  const BootClock::time_point begun = BootClock::now();
  const PassStamp stamp{.pass = pass, .refined_at_ms = WallClockMillis()};
  ARROW_ASSIGN_OR_RAISE(RestatedFiles restated, Restater().Rejects(task.dates, stamp));
  changes.operation = "RESTATE";
  changes.files = std::move(restated.files);
  changes.removes = std::move(restated.replaced);
  changes.written_since = restated.written_since;
  ARROW_ASSIGN_OR_RAISE(const auto known, ReadFingerprintUses(*rejects->snapshot()));
  changes.properties = FingerprintProperty(known, Fingerprint(), pass);
  ARROW_ASSIGN_OR_RAISE(const bool is_done, CommitTask(rejects, changes));
  if (is_done) {
    Log::Info("Restated {}: {}, {} for Silver.", Described(task.dates),
              Counted(restated.tally.rows, "row"), FormatCount(restated.tally.silver));
    PassReport report{.pass = pass, .rows = restated.tally.rows, .silver = restated.tally.silver};
    report.rejected = restated.tally.by_reason;
    report.warned = restated.tally.warned;
    report.took = std::chrono::duration_cast<Millis>(BootClock::now() - begun);
    parts_.stats->OnPass(report, WallClockMillis());
  }
  return StepOutcome::kWorked;
}

Result<StepOutcome> Refiner::TaskInSilver(int64_t pass) {
  ARROW_ASSIGN_OR_RAISE(const tables::RefineTask task, OpenTask(pass));
  if (task.kind == tables::TaskKind::kErase) return EraseInSilver(task);
  if (tables::RemovesDates(task)) return RetainInSilver(task);
  ARROW_RETURN_NOT_OK(CheckBronze());
  ARROW_ASSIGN_OR_RAISE(const bool is_recorded, RecordRules(pass));
  if (!is_recorded) return StepOutcome::kWorked;
  ARROW_ASSIGN_OR_RAISE(const RefineColumns columns, Columns());
  PassChanges changes{.standing = rejects_, .columns = columns.silver};
  const PassStamp stamp{.pass = pass, .refined_at_ms = WallClockMillis()};
  ARROW_ASSIGN_OR_RAISE(RestatedFiles restated, Restater().Silver(task.dates, stamp));
  changes.operation = "RESTATE";
  changes.files = std::move(restated.files);
  changes.removes = std::move(restated.replaced);
  changes.written_since = restated.written_since;
  ARROW_RETURN_NOT_OK(CommitTask(parts_.tables->silver.get(), changes).status());
  return StepOutcome::kWorked;
}

// Whether this refine has committed it. Files that were written in vain are deleted.
Result<bool> Refiner::CommitTask(lake::Table* table, const PassChanges& changes) {
  ARROW_ASSIGN_OR_RAISE(const CommittedPass committed, CommitPass(table, changes, Deadline()));
  if (committed.outcome == PassOutcome::kDone) return true;
  Discard(parts_.store, table->path(), changes.files);
  if (committed.outcome == PassOutcome::kAgain) {
    return Unavailable("task ", *changes.standing.pass, " is not in ", table->path(),
                       " yet: files that it replaces were replaced by another program, or it took "
                       "so long that a vacuum may delete what it wrote");
  }
  parts_.stats->OnLost();
  StandBy();
  return false;
}

Status Refiner::TaskInGold(const std::vector<std::string>& gold) {
  ARROW_ASSIGN_OR_RAISE(const tables::RefineTask task, OpenTask(standings_.silver));
  ARROW_ASSIGN_OR_RAISE(const RefineColumns columns, Columns());
  for (const std::string& table : gold) {
    ARROW_ASSIGN_OR_RAISE(const PassOutcome outcome,
                          parts_.stats->Timed("restate_gold", table, [&] {
                            return parts_.gold->Restate(table, columns, Sources(), silver_, task);
                          }));
    if (outcome == PassOutcome::kLost) parts_.stats->OnLost();
  }
  return Status::OK();
}

// What it names is not kept for longer than it is needed.
Result<StepOutcome> Refiner::ForgetTask() {
  ARROW_RETURN_NOT_OK(CommitProperties(parts_.tables->rejects.get(), standings_.rejects,
                                       kForgetOperation, tables::RefineTaskProperty(std::nullopt),
                                       Deadline())
                          .status());
  return StepOutcome::kWorked;
}

}  // namespace shopstream::refine
