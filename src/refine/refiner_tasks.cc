#include <algorithm>
#include <utility>

#include "base/format.h"
#include "base/log.h"
#include "base/runtime.h"
#include "model/calendar.h"
#include "refine/bronze_history.h"
#include "refine/fingerprint_uses.h"
#include "refine/refiner.h"

// The steps of tasks.
namespace shopstream::refine {
namespace {

constexpr char kForgetOperation[] = "FORGET TASK";
constexpr int64_t kBeforeAll = -1;  // A version of Bronze without rows.

// "2025-10-01..2025-10-03"
std::string Described(const std::set<Date>& dates) {
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
  const tables::RefineTask task{.pass = standings_.rejects + 1,
                                .kind = tables::TaskKind::kRestate,
                                .dates = groups_to_restate_->front(),
                                .at_ms = WallClockMillis()};
  ARROW_ASSIGN_OR_RAISE(const PassOutcome outcome,
                        ReserveTask(parts_.tables->rejects.get(), task, Deadline()));
  if (outcome == PassOutcome::kDone) {
    reserved_ = task.pass;
    groups_to_restate_->erase(groups_to_restate_->begin());
  }
  return StepOutcome::kWorked;
}

Result<StepOutcome> Refiner::ReserveTheTask() {
  if (reserved_) return StepOutcome::kIdle;
  tables::RefineTask task = *options_.task;
  task.pass = standings_.rejects + 1;
  task.at_ms = WallClockMillis();
  ARROW_ASSIGN_OR_RAISE(const PassOutcome outcome,
                        ReserveTask(parts_.tables->rejects.get(), task, Deadline()));
  if (outcome == PassOutcome::kDone) reserved_ = task.pass;
  return StepOutcome::kWorked;
}

Result<tables::RefineTask> Refiner::OpenTask(int64_t pass) const {
  if (task_ && task_->pass == pass) return *task_;
  return Status::Invalid("table ", parts_.tables->rejects->path(), " reserves pass ", pass,
                         " for a task, but its property shopstream.refine.task does not say which: "
                         "another program changed it. Set it again as an earlier version of the "
                         "table has it");
}

Restate Refiner::Restater() const {
  return Restate(parts_.store, *parts_.tables, parts_.judge, parts_.ids, rejects_,
                 {.rows = options_.pass_rows, .bytes = options_.row_bytes});
}

bool Refiner::IsRebuild() const {
  return options_.restate && !options_.restate->from && !options_.restate->to;
}

bool Refiner::IsLastOfRebuild(int64_t pass) const {
  return IsRebuild() && reserved_ == pass && groups_to_restate_ && groups_to_restate_->empty();
}

Status Refiner::TakeBronzeAsItIs(tables::RefineStanding* standing) const {
  const auto progress = tables::ReadProgress(bronze_->Txns());
  for (auto& [key, end] : standing->ends) {
    const auto found = progress.find(key);
    end = std::min(end, found == progress.end() ? 0 : found->second);
  }
  standing->bronze_version = kBeforeAll;
  ARROW_ASSIGN_OR_RAISE(standing->bronze_seen,
                        SeeBronze(parts_.store, parts_.tables->bronze->path(), *bronze_));
  return Status::OK();
}

Result<StepOutcome> Refiner::TaskInRejects(int64_t pass) {
  ARROW_ASSIGN_OR_RAISE(const tables::RefineTask task, OpenTask(pass));
  if (task.kind == tables::TaskKind::kErase) return EraseInRejects(task);
  ARROW_ASSIGN_OR_RAISE(const RefineColumns columns, Columns());
  lake::Table* const rejects = parts_.tables->rejects.get();
  PassChanges changes{.standing = rejects_, .columns = columns.rejects};
  changes.standing.pass = pass;
  changes.standing.author = author_;
  if (IsLastOfRebuild(pass)) ARROW_RETURN_NOT_OK(TakeBronzeAsItIs(&changes.standing));
  const BootClock::time_point begun = BootClock::now();
  const PassStamp stamp{.pass = pass, .refined_at_ms = WallClockMillis()};
  ARROW_ASSIGN_OR_RAISE(RestatedFiles restated, Restater().Rejects(task.dates, stamp));
  changes.operation = "RESTATE";
  changes.files = std::move(restated.files);
  changes.removes = std::move(restated.replaced);
  changes.written_since = restated.written_since;
  ARROW_ASSIGN_OR_RAISE(const auto known, ReadFingerprintUses(*rejects->snapshot()));
  changes.properties = FingerprintProperty(known, Fingerprint(), pass);
  ARROW_ASSIGN_OR_RAISE(const CommittedPass committed, CommitPass(rejects, changes, Deadline()));
  if (committed.outcome == PassOutcome::kLost) {
    parts_.stats->OnLost();
    StandBy();
  }
  if (committed.outcome == PassOutcome::kDone) {
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
  ARROW_ASSIGN_OR_RAISE(const RefineColumns columns, Columns());
  PassChanges changes{.standing = rejects_, .columns = columns.silver};
  const PassStamp stamp{.pass = pass, .refined_at_ms = WallClockMillis()};
  ARROW_ASSIGN_OR_RAISE(RestatedFiles restated, Restater().Silver(task.dates, stamp));
  changes.operation = "RESTATE";
  changes.files = std::move(restated.files);
  changes.removes = std::move(restated.replaced);
  changes.written_since = restated.written_since;
  ARROW_ASSIGN_OR_RAISE(const CommittedPass committed,
                        CommitPass(parts_.tables->silver.get(), changes, Deadline()));
  if (committed.outcome == PassOutcome::kLost) parts_.stats->OnLost();
  return StepOutcome::kWorked;
}

Status Refiner::TaskInGold(const std::vector<std::string>& gold) {
  ARROW_ASSIGN_OR_RAISE(const tables::RefineTask task, OpenTask(standings_.silver));
  ARROW_ASSIGN_OR_RAISE(const RefineColumns columns, Columns());
  for (const std::string& table : gold) {
    ARROW_ASSIGN_OR_RAISE(const PassOutcome outcome,
                          parts_.gold->Restate(table, columns, Sources(), silver_, task.dates));
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
