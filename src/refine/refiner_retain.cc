#include "base/format.h"
#include "base/log.h"
#include "model/calendar.h"
#include "refine/refiner.h"
#include "refine/retention.h"

// The steps of a task that removes the old dates of one table, or those of Bronze that its archive
// has: Bronze before the rejects take the task's number, rejects and Silver with it. All other
// tables only take the number, so that no pass and no restate reads these rows meanwhile.
namespace shopstream::refine {
namespace {

void LogExpired(const std::string& table, const ExpiredDates& expired) {
  Log::Info("Removed {} of {} before {} from {}.", Counted(expired.rows, "row"),
            Counted(std::ssize(expired.dates), "date"), FormatDate(expired.first_kept), table);
}

void AddExpired(const tables::RefineTask& task, const ExpiredDates& expired, PassChanges* changes) {
  changes->removes = expired.files;
  changes->properties = tables::HorizonProperty(expired.first_kept);
  changes->info = {{"task", task.pass}, {"removedRows", expired.rows}};
}

}  // namespace

// For an archive. If Bronze has changed since the copy was made, it keeps its rows: whoever
// archives sees it, and copies again.
Status Refiner::ReleaseBronze(const tables::RefineTask& task) {
  lake::Table* const bronze = parts_.tables->bronze.get();
  ARROW_ASSIGN_OR_RAISE(const ExpiredDates expired, FindExpired(*bronze, *task.horizon, &silver_));
  ARROW_ASSIGN_OR_RAISE(
      const bool is_released,
      ReleaseArchived(bronze, expired, {.run = task.archive_run, .digest = task.files_digest},
                      task.pass, Deadline()));
  if (is_released) LogExpired(task.table, expired);
  return Status::OK();
}

Result<StepOutcome> Refiner::RetainInRejects(const tables::RefineTask& task) {
  const RefineTables& tables = *parts_.tables;
  lake::Table* const rejects = tables.rejects.get();
  const bool is_bronze = task.table == tables.bronze->path();
  const bool is_known =
      is_bronze || (task.kind == tables::TaskKind::kRetain &&
                    (task.table == rejects->path() || task.table == tables.silver->path()));
  if (!is_known || !task.horizon) {
    return Status::Invalid("task ", task.pass, " is to ", tables::Name(task.kind),
                           " dates of table ", task.table,
                           ", which is not a table of this refine: finish it with the program or "
                           "configuration that reserved it");
  }
  ARROW_ASSIGN_OR_RAISE(const RefineColumns columns, Columns());
  PassChanges changes{.standing = rejects_, .columns = columns.rejects};
  changes.standing.pass = task.pass;
  changes.standing.author = author_;
  changes.operation = kRetainOperation;
  ExpiredDates expired;
  if (task.kind == tables::TaskKind::kArchive) {
    ARROW_RETURN_NOT_OK(ReleaseBronze(task));
  } else if (is_bronze) {
    ARROW_ASSIGN_OR_RAISE(expired, FindExpired(*tables.bronze, *task.horizon, &silver_));
    ARROW_RETURN_NOT_OK(CommitExpired(tables.bronze.get(), expired, task.pass, Deadline()));
    LogExpired(task.table, expired);
  } else if (task.table == rejects->path()) {
    const auto silver = tables.silver->snapshot();
    ARROW_ASSIGN_OR_RAISE(expired,
                          FindExpiredRefined(*rejects->snapshot(), *task.horizon, silver.get()));
    // While Silver keeps all dates, so do the rejects.
    ARROW_ASSIGN_OR_RAISE(const auto closed, tables::ReadHorizon(*silver));
    if (closed) AddExpired(task, expired, &changes);
  }
  ARROW_ASSIGN_OR_RAISE(const bool is_done, CommitTask(rejects, changes));
  if (is_done && task.table == rejects->path()) LogExpired(task.table, expired);
  return StepOutcome::kWorked;
}

Result<StepOutcome> Refiner::RetainInSilver(const tables::RefineTask& task) {
  lake::Table* const silver = parts_.tables->silver.get();
  ARROW_ASSIGN_OR_RAISE(const RefineColumns columns, Columns());
  PassChanges changes{.standing = rejects_, .columns = columns.silver};
  changes.operation = kRetainOperation;
  ExpiredDates expired;
  if (task.table == silver->path()) {
    ARROW_ASSIGN_OR_RAISE(expired, FindExpiredRefined(*silver->snapshot(), *task.horizon, nullptr));
    AddExpired(task, expired, &changes);
  }
  ARROW_ASSIGN_OR_RAISE(const bool is_done, CommitTask(silver, changes));
  if (is_done && task.table == silver->path()) LogExpired(task.table, expired);
  return StepOutcome::kWorked;
}

}  // namespace shopstream::refine
