#include "base/format.h"
#include "base/log.h"
#include "model/calendar.h"
#include "refine/refiner.h"
#include "refine/retention.h"

// The steps of a task that removes the old dates of Bronze. Silver, the rejects and Gold keep
// theirs and only take its number, so that no pass and no restate reads these rows meanwhile.
namespace shopstream::refine {

Result<StepOutcome> Refiner::RetainInRejects(const tables::RefineTask& task) {
  lake::Table* const bronze = parts_.tables->bronze.get();
  if (task.table != bronze->path() || !task.horizon) {
    return Status::Invalid("task ", task.pass, " is to retain dates of table ", task.table,
                           ", which is not Bronze: finish it with the version that reserved it");
  }
  ARROW_ASSIGN_OR_RAISE(const ExpiredDates expired, FindExpired(*bronze, *task.horizon, &silver_));
  ARROW_RETURN_NOT_OK(CommitExpired(bronze, expired, task.pass, Deadline()));
  Log::Info("Removed {} of {} dates before {} from {}.", Counted(expired.rows, "row"),
            expired.dates.size(), FormatDate(expired.first_kept), bronze->path());
  ARROW_ASSIGN_OR_RAISE(const RefineColumns columns, Columns());
  PassChanges changes{.standing = rejects_, .columns = columns.rejects};
  changes.standing.pass = task.pass;
  changes.standing.author = author_;
  changes.operation = "RETAIN";
  ARROW_ASSIGN_OR_RAISE(const CommittedPass committed,
                        CommitPass(parts_.tables->rejects.get(), changes, Deadline()));
  if (committed.outcome == PassOutcome::kLost) {
    parts_.stats->OnLost();
    StandBy();
  }
  return StepOutcome::kWorked;
}

Result<StepOutcome> Refiner::RetainInSilver(const tables::RefineTask& task) {
  ARROW_ASSIGN_OR_RAISE(const RefineColumns columns, Columns());
  PassChanges changes{.standing = rejects_, .columns = columns.silver};
  changes.operation = "RETAIN";
  ARROW_ASSIGN_OR_RAISE(const CommittedPass committed,
                        CommitPass(parts_.tables->silver.get(), changes, Deadline()));
  if (committed.outcome == PassOutcome::kLost) parts_.stats->OnLost();
  if (committed.outcome == PassOutcome::kDone) Log::Info("Task {} is done.", task.pass);
  return StepOutcome::kWorked;
}

}  // namespace shopstream::refine
