#include "refine/next_step.h"

#include <algorithm>

namespace shopstream::refine {
namespace {

Status CheckOrder(const Standings& standings) {
  if (standings.silver > standings.rejects) {
    return Status::Invalid("Silver holds pass ", standings.silver, " while the rejects hold pass ",
                           standings.rejects,
                           ": one of the two tables was restored or replaced. Restore both as they "
                           "were at the same time, or delete both to refine from the beginning");
  }
  if (standings.silver < standings.rejects - 1) {
    return Status::Invalid("Silver holds pass ", standings.silver, " while the rejects hold pass ",
                           standings.rejects,
                           ", two or more ahead: one of the two tables was restored or replaced. "
                           "Restore both as they were at the same time, or delete both to refine "
                           "from the beginning");
  }
  if (standings.task > standings.rejects + 1) {
    return Status::Invalid("the rejects hold pass ", standings.rejects,
                           " while their open task is pass ", standings.task,
                           ": a property or txn of the table was changed by another program. "
                           "Restore the table as it was");
  }
  for (const GoldView& gold : standings.gold) {
    if (!gold.outdated && gold.pass && *gold.pass > standings.silver) {
      return Status::Invalid("table ", gold.table, " holds pass ", *gold.pass,
                             " while Silver holds pass ", standings.silver,
                             ": Silver was restored or replaced. Delete ", gold.table,
                             ", and it is built anew");
    }
  }
  return Status::OK();
}

}  // namespace

bool Standings::IsComplete() const {
  return task <= rejects && silver == rejects &&
         std::ranges::all_of(
             gold, [&](const GoldView& table) { return !table.outdated && table.pass == silver; });
}

Result<NextStep> DecideNext(const Standings& standings) {
  ARROW_RETURN_NOT_OK(CheckOrder(standings));
  if (standings.silver < standings.rejects) {
    const bool is_task = standings.rejects == standings.task;
    return NextStep{is_task ? NextKind::kTaskSilver : NextKind::kFinishSilver, standings.rejects};
  }
  const bool is_task = standings.silver == standings.task;
  NextStep finish{is_task ? NextKind::kTaskGold : NextKind::kFinishGold, standings.silver};
  NextStep build{NextKind::kBuildGold, standings.silver};
  for (const GoldView& gold : standings.gold) {
    // A task that is forgotten can no longer be done in a table whose file was away.
    const bool is_behind =
        gold.pass && *gold.pass < standings.silver && is_task && !standings.task_kept;
    if (gold.outdated || !gold.pass || *gold.pass < standings.silver - 1 || is_behind) {
      build.gold.push_back(gold.table);
    } else if (*gold.pass < standings.silver) {
      finish.gold.push_back(gold.table);
    }
  }
  if (!finish.gold.empty()) return finish;
  if (standings.task > standings.rejects) return NextStep{NextKind::kTaskRejects, standings.task};
  if (!build.gold.empty()) return build;
  if (standings.task_kept) return NextStep{NextKind::kForgetTask, standings.task};
  if (!standings.work_waits) return NextStep{NextKind::kIdle, standings.rejects};
  return NextStep{standings.halted ? NextKind::kHalted : NextKind::kBegin, standings.rejects + 1};
}

Millis Standby::TakesOverAfter(const Standings& standings) {
  const bool task_is_open =
      standings.task > 0 && standings.task >= standings.rejects && !standings.IsComplete();
  return task_is_open ? kTakesTaskOverAfter : kTakesOverAfter;
}

bool Standby::Waits(const Standings& standings, BootClock::time_point now) {
  if (!still_since_) return false;
  const bool is_idle = standings.IsComplete() && !standings.task_kept && !standings.work_waits;
  if (standings != seen_ || is_idle) {
    seen_ = standings;
    still_since_ = now;
  }
  if (now - *still_since_ < TakesOverAfter(standings)) return true;
  still_since_.reset();
  return false;
}

}  // namespace shopstream::refine
