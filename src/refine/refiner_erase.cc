#include "base/format.h"
#include "base/log.h"
#include "refine/erasure.h"
#include "refine/refiner.h"

// The steps of an erase.
namespace shopstream::refine {

Result<StepOutcome> Refiner::EraseInRejects(const tables::RefineTask& task) {
  ARROW_ASSIGN_OR_RAISE(const auto erasure, Erasure::Open(parts_.store, *parts_.tables, task,
                                                          parts_.erase_quarantine, parts_.search));
  ARROW_RETURN_NOT_OK(erasure->EraseSources(options_.commit_deadline));
  ARROW_ASSIGN_OR_RAISE(const RefineColumns columns, Columns());
  PassChanges changes{.standing = rejects_, .columns = columns.rejects};
  changes.standing.pass = task.pass;
  changes.standing.author = author_;
  ARROW_RETURN_NOT_OK(erasure->AddToRejects(&changes));
  ARROW_ASSIGN_OR_RAISE(const bool is_done, CommitTask(parts_.tables->rejects.get(), changes));
  if (is_done) {
    Log::Info("Erased {} of {}.", Counted(changes.info["erasedRows"], "row"),
              parts_.tables->rejects->path());
  }
  return StepOutcome::kWorked;
}

Result<StepOutcome> Refiner::EraseInSilver(const tables::RefineTask& task) {
  ARROW_ASSIGN_OR_RAISE(const auto erasure,
                        Erasure::Open(parts_.store, *parts_.tables, task, {}, parts_.search));
  ARROW_ASSIGN_OR_RAISE(const RefineColumns columns, Columns());
  PassChanges changes{.standing = rejects_, .columns = columns.silver};
  ARROW_RETURN_NOT_OK(erasure->AddToSilver(&changes));
  ARROW_ASSIGN_OR_RAISE(const bool is_done, CommitTask(parts_.tables->silver.get(), changes));
  if (is_done) {
    Log::Info("Erased {} of {}.", Counted(changes.info["erasedRows"], "row"),
              parts_.tables->silver->path());
  }
  return StepOutcome::kWorked;
}

}  // namespace shopstream::refine
