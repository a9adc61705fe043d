#include "refine/refiner.h"

#include <arrow/array/builder_binary.h>

#include <algorithm>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/log.h"
#include "base/runtime.h"
#include "refine/bronze_history.h"
#include "refine/closed_dates.h"
#include "refine/other_rules.h"
#include "refine/rejected_offsets.h"
#include "refine/restate.h"
#include "tables/coordinates.h"
#include "tables/partition_state.h"
#include "tables/progress.h"

namespace shopstream::refine {
namespace {

// A pass without rows is made if Silver's time is this far behind Bronze's: the hours of a shop
// that is closed become final, too.
constexpr int64_t kTimeStepMs = 60'000;
constexpr char kHaltOperation[] = "HALT REFINE";
constexpr char kRulesOperation[] = "RECORD RULES";

// The reasons of rows that another refine has judged: its verdict stands, whatever the rules say
// now.
Result<std::shared_ptr<arrow::StringArray>> AsDecided(const arrow::RecordBatch& rows,
                                                      const RowOffsets& rejected) {
  ARROW_ASSIGN_OR_RAISE(const auto coordinates, tables::CoordinateColumns::Of(rows));
  arrow::StringBuilder reasons;
  ARROW_RETURN_NOT_OK(reasons.Reserve(rows.num_rows()));
  for (int64_t row = 0; row < rows.num_rows(); ++row) {
    const auto at = coordinates.At(row);
    ARROW_RETURN_NOT_OK(reasons.Append(at && Contains(rejected, *at) ? "rejected" : ""));
  }
  std::shared_ptr<arrow::StringArray> array;
  ARROW_RETURN_NOT_OK(reasons.Finish(&array));
  return array;
}

PassReport ReportOf(int64_t pass, const Tally& tally, const PassRows& rows,
                    BootClock::time_point begun) {
  PassReport report;
  report.pass = pass;
  report.rows = tally.rows;
  report.silver = tally.silver;
  report.rejected = tally.by_reason;
  report.warned = tally.warned;
  report.without_coordinates = rows.without_coordinates;
  report.took = std::chrono::duration_cast<Millis>(BootClock::now() - begun);
  return report;
}

}  // namespace

// A pass that this refine has begun.
struct Refiner::PassInHand {
  BootClock::time_point begun;
  PassPlan plan;
  PassRows input;
  RefineColumns columns;
  Tally tally;
  JudgedRows judged;
  tables::RefineStanding after;
};

Refiner::Refiner(RefinerParts parts, RefinerOptions options)
    : parts_(parts), options_(options), author_(static_cast<int64_t>(RandomBits() >> 2)) {
  if (options_.task && options_.task->pass > 0) reserved_ = options_.task->pass;
}

// Rejects first, Bronze last: a table that is read later may be ahead of the others, never behind
// what it is built from.
Status Refiner::Look() {
  ARROW_ASSIGN_OR_RAISE(const auto rejects, parts_.tables->rejects->Refresh());
  ARROW_ASSIGN_OR_RAISE(const auto silver, parts_.tables->silver->Refresh());
  ARROW_ASSIGN_OR_RAISE(rejects_, tables::ReadRefineStanding(*rejects));
  ARROW_ASSIGN_OR_RAISE(silver_, tables::ReadRefineStanding(*silver));
  ARROW_ASSIGN_OR_RAISE(const RefineColumns known, Columns());
  parts_.gold->Reload(known);
  ARROW_ASSIGN_OR_RAISE(standings_.gold, parts_.gold->Look());
  ARROW_ASSIGN_OR_RAISE(bronze_, parts_.tables->bronze->Refresh());
  standings_.rejects = rejects_.pass.value_or(0);
  standings_.silver = silver_.pass.value_or(0);
  standings_.task = rejects_.task;
  ARROW_ASSIGN_OR_RAISE(task_, tables::ReadRefineTask(*rejects));
  standings_.task_kept = task_.has_value();
  if (attempted_ && task_ == attempted_) OnReserved();
  ARROW_ASSIGN_OR_RAISE(plan_, PlanPass(rejects_, *bronze_, options_.pass_rows));
  ARROW_ASSIGN_OR_RAISE(const RefineColumns columns, Columns());
  parts_.judge->Reload(columns);
  parts_.stats->ShowRules(parts_.judge->book().rules);
  parts_.stats->SetDegraded(!parts_.judge->broken().ok() || !parts_.gold->broken().ok());
  ARROW_ASSIGN_OR_RAISE(halt_, tables::ReadRefineHalt(*rejects, standings_.rejects + 1));
  standings_.halted = halt_ && halt_->halted() && halt_->fingerprint == HaltFingerprint();
  const bool has_rows = !plan_.empty() && bronze_->version() != nothing_up_to_;
  standings_.work_waits = has_rows || TimeIsBehind();
  parts_.stats->SetLag(RowsToRefine());
  parts_.stats->SetHalted(standings_.halted ? halt_->rule : "");
  return Status::OK();
}

bool Refiner::TimeIsBehind() const {
  const auto through = tables::ReadCompleteThrough(bronze_->Txns());
  return through && plan_.reached_version &&
         *through - rejects_.complete_through_ms.value_or(0) >= kTimeStepMs;
}

int64_t Refiner::RowsToRefine() const {
  int64_t rows = 0;
  for (const auto& [key, end] : tables::ReadProgress(bronze_->Txns())) {
    const auto found = rejects_.ends.find(key);
    rows += std::max<int64_t>(0, end - (found == rejects_.ends.end() ? 0 : found->second));
  }
  return rows;
}

bool Refiner::CaughtUp() const {
  return standings_.IsComplete() && !standings_.task_kept && plan_.replayed.empty() &&
         std::ranges::all_of(*target_, [&](const auto& item) {
           const auto found = silver_.ends.find(item.first);
           return found == silver_.ends.end() ? item.second == 0 : found->second >= item.second;
         });
}

Result<StepOutcome> Refiner::Step() {
  ARROW_RETURN_NOT_OK(parts_.stats->Timed("look", "", [&] { return Look(); }));
  const Standings seen = standings_;
  const Result<NextStep> next = DecideNext(standings_);
  // Tables that another refine moves meanwhile may seem to contradict each other.
  if (!next.ok()) {
    ARROW_RETURN_NOT_OK(Look());
    if (standings_ == seen) return next.status();
    return StepOutcome::kWorked;
  }
  if (!target_) target_ = tables::ReadProgress(bronze_->Txns());
  if (options_.restate && IsFree(next->kind)) return ReserveRestate();
  if (options_.task && IsFree(next->kind)) return ReserveGivenTask();
  if (options_.until_caught_up && CaughtUp()) return StepOutcome::kIdle;
  StandByIfOvertaken();
  const bool stood_by = standby_.active();
  const bool stands_by = standby_.Waits(standings_, BootClock::now());
  parts_.stats->SetStandby(stands_by);
  if (stood_by && !stands_by) Log::Info("The other refine has stopped: taking over.");
  return stands_by ? StepOutcome::kStandby : Take(*next);
}

// Another refine has made a pass since the last look, or reserved a task: two would only do each
// other's work again.
void Refiner::StandByIfOvertaken() {
  const std::optional<int64_t> before = std::exchange(seen_pass_, standings_.rejects);
  const std::optional<int64_t> task_before = std::exchange(seen_task_, standings_.task);
  const bool other_passed = before && standings_.rejects > *before && rejects_.author != author_;
  const bool other_reserved = task_before && standings_.task > *task_before &&
                              standings_.task > standings_.rejects && standings_.task != reserved_;
  // The others stand by for whoever reserved the task.
  const bool leads = reserved_ == standings_.task && standings_.task > standings_.rejects;
  if ((other_passed && !leads) || other_reserved) StandBy();
}

void Refiner::StandBy() {
  if (!standby_.active()) {
    Log::Info(
        "Another refine is at work after pass {}. Standing by; taking over once the tables "
        "have stood still for {} s.",
        standings_.rejects, Standby::TakesOverAfter(standings_).count() / 1000);
  }
  standby_.Begin(BootClock::now());
}

Result<StepOutcome> Refiner::Take(const NextStep& next) {
  switch (next.kind) {
    case NextKind::kFinishSilver:
      return FinishSilver(next.pass);
    case NextKind::kFinishGold:
      ARROW_RETURN_NOT_OK(FinishGold(next.gold));
      return StepOutcome::kWorked;
    case NextKind::kBuildGold:
      ARROW_RETURN_NOT_OK(BuildGold(next.gold));
      return StepOutcome::kWorked;
    case NextKind::kTaskRejects:
      return parts_.stats->Timed("task_rejects", "", [&] { return TaskInRejects(next.pass); });
    case NextKind::kTaskSilver:
      return parts_.stats->Timed("task_silver", "", [&] { return TaskInSilver(next.pass); });
    case NextKind::kTaskGold:
      ARROW_RETURN_NOT_OK(TaskInGold(next.gold));
      return StepOutcome::kWorked;
    case NextKind::kForgetTask:
      return ForgetTask();
    case NextKind::kBegin:
      return Begin(next.pass);
    case NextKind::kHalted:
      return StepOutcome::kHalted;
    case NextKind::kIdle:
      break;
  }
  return StepOutcome::kIdle;
}

// Fewer rows than planned if they take too much memory.
Result<PassRows> Refiner::ReadRows(PassPlan* plan) {
  InputStats stats;
  for (int64_t rows = options_.pass_rows;; rows /= 2) {
    ARROW_ASSIGN_OR_RAISE(auto read, ReadPassRows(parts_.tables->bronze.get(), *plan,
                                                  {.bytes = options_.row_bytes}, &stats));
    if (read) return *std::move(read);
    if (rows <= 1) {
      return Status::Invalid("a row of ", parts_.tables->bronze->path(),
                             " takes more than a quarter of refine.memory_limit_mb");
    }
    ARROW_ASSIGN_OR_RAISE(*plan, PlanPass(rejects_, *bronze_, rows / 2));
  }
}

Status Refiner::CheckBronze() {
  ARROW_ASSIGN_OR_RAISE(
      const bool is_known,
      CheckBronzeHistory(parts_.store, parts_.tables->bronze->path(), *bronze_, rejects_));
  if (is_known) return Status::OK();
  // Nothing is taken for granted but the offsets.
  rejects_.bronze_version.reset();
  silver_.bronze_version.reset();
  plan_.decided_version.reset();
  return Status::OK();
}

Result<StepOutcome> Refiner::Begin(int64_t pass) {
  ARROW_RETURN_NOT_OK(CheckBronze());
  PassInHand hand;
  hand.begun = BootClock::now();
  hand.plan = plan_;
  RefineStats& stats = *parts_.stats;
  ARROW_ASSIGN_OR_RAISE(hand.input, stats.Timed("read", "", [&] { return ReadRows(&hand.plan); }));
  if (hand.input.rows->num_rows() == 0 && hand.plan.reached_version && !TimeIsBehind()) {
    nothing_up_to_ = *hand.plan.reached_version;
    return StepOutcome::kIdle;
  }
  hand.columns = RefineColumns::From(hand.input.rows->schema());
  ARROW_ASSIGN_OR_RAISE(const Verdicts verdicts, stats.Timed("judge", "", [&] {
    return parts_.judge->Look(hand.columns, hand.input.rows);
  }));
  const auto silver = parts_.tables->silver->snapshot();
  ARROW_ASSIGN_OR_RAISE(const ClosedDates closed, ClosedDates::Of(*silver));
  ARROW_ASSIGN_OR_RAISE(const auto judged, closed.Reject(*hand.input.rows, verdicts.reasons));
  ARROW_ASSIGN_OR_RAISE(const auto reasons, stats.Timed("find_duplicates", "", [&] {
    return parts_.ids->AddDuplicates(*silver, hand.input, judged);
  }));
  hand.tally = CountRows(*reasons, *verdicts.warnings);
  const StopDecision stop = DecideStop(hand.tally, parts_.judge->book().rules,
                                       halt_ ? halt_->accepted : std::set<std::string>());
  if (stop.kind == StopDecision::Kind::kMoreRows && WaitsForRows(hand.plan)) {
    return StepOutcome::kWaiting;
  }
  if (stop.kind == StopDecision::Kind::kHalt) return Halt(stop, hand);
  const PassStamp stamp{.pass = pass, .refined_at_ms = WallClockMillis()};
  ARROW_ASSIGN_OR_RAISE(hand.judged,
                        CombineRows(hand.columns, hand.input, verdicts, reasons, stamp));
  hand.after = StandingAfter(rejects_, hand.plan);
  hand.after.author = author_;
  ARROW_ASSIGN_OR_RAISE(hand.after.bronze_seen,
                        SeeBronze(parts_.store, parts_.tables->bronze->path(), *bronze_));
  if (hand.plan.reached_version) {
    const auto through = tables::ReadCompleteThrough(bronze_->Txns());
    if (through) {
      hand.after.complete_through_ms =
          std::max(*through, rejects_.complete_through_ms.value_or(*through));
    }
  }
  return Commit(&hand);
}

bool Refiner::WaitsForRows(const PassPlan& plan) {
  if (!plan.reached_version) return false;
  const BootClock::time_point now = BootClock::now();
  if (!wait_ || wait_->pass != plan.pass) wait_ = Wait{.pass = plan.pass, .since = now};
  return now - wait_->since < options_.wait_for_rows;
}

Result<StepOutcome> Refiner::Halt(const StopDecision& stop, const PassInHand& hand) {
  tables::RefineHalt halt{.pass = hand.plan.pass,
                          .rule = stop.rule,
                          .found = stop.found,
                          .rows = hand.tally.rows,
                          .at_ms = WallClockMillis(),
                          .fingerprint = HaltFingerprint(),
                          .accepted = halt_ ? halt_->accepted : std::set<std::string>()};
  ARROW_ASSIGN_OR_RAISE(
      const PassOutcome outcome,
      CommitProperties(parts_.tables->rejects.get(), hand.plan.pass - 1, kHaltOperation,
                       tables::RefineHaltProperty(halt), Deadline()));
  if (outcome != PassOutcome::kDone) return StepOutcome::kWorked;
  wait_.reset();
  halt_ = std::move(halt);
  parts_.stats->SetHalted(stop.rule);
  return StepOutcome::kHalted;
}

Result<StepOutcome> Refiner::Commit(PassInHand* hand) {
  PassChanges rejects{.standing = hand->after,
                      .columns = hand->columns.rejects,
                      .properties = tables::RefineHaltProperty(std::nullopt),
                      .files = {},
                      .written_since = BootClock::now()};
  ARROW_ASSIGN_OR_RAISE(const auto known, ReadFingerprintUses(*parts_.tables->rejects->snapshot()));
  rejects.properties.merge(FingerprintProperty(known, Fingerprint(), *hand->after.pass));
  lake::Table* const table = parts_.tables->rejects.get();
  const auto commit = [&]() -> Result<CommittedPass> {
    ARROW_ASSIGN_OR_RAISE(
        rejects.files, WriteRejectedRows(parts_.store, table->path(), hand->columns, hand->judged));
    return CommitPass(table, rejects, Deadline());
  };
  ARROW_ASSIGN_OR_RAISE(const CommittedPass committed, parts_.stats->Timed("rejects", "", commit));
  if (committed.outcome == PassOutcome::kLost) {
    parts_.stats->OnLost();
    StandBy();
  }
  if (committed.outcome != PassOutcome::kDone) return StepOutcome::kWorked;
  LogOtherRules(known, *hand->after.pass);
  ARROW_ASSIGN_OR_RAISE(const bool in_silver, parts_.stats->Timed("silver", "", [&] {
    return CommitSilver(hand->columns, hand->judged, hand->after);
  }));
  if (!in_silver) return StepOutcome::kWorked;
  const GoldInput input{.standing = hand->after,
                        .silver = {hand->judged.rows, hand->judged.silver},
                        .rejects = {hand->judged.rows, hand->judged.rejects}};
  ARROW_RETURN_NOT_OK(CommitGold(parts_.gold->Tables(), hand->columns, input));
  parts_.stats->OnPass(ReportOf(*hand->after.pass, hand->tally, hand->input, hand->begun),
                       WallClockMillis());
  return hand->plan.reached_version ? StepOutcome::kPassed : StepOutcome::kWorked;
}

// Whether Silver holds the pass now.
Result<bool> Refiner::CommitSilver(const RefineColumns& columns, const JudgedRows& judged,
                                   const tables::RefineStanding& after) {
  lake::Table* const silver = parts_.tables->silver.get();
  PassChanges changes{
      .standing = after, .columns = columns.silver, .files = {}, .written_since = BootClock::now()};
  ARROW_ASSIGN_OR_RAISE(changes.files,
                        WriteSilverRows(parts_.store, silver->path(), columns, judged));
  ARROW_ASSIGN_OR_RAISE(const CommittedPass committed, CommitPass(silver, changes, Deadline()));
  if (committed.outcome != PassOutcome::kDone) {
    if (committed.outcome == PassOutcome::kLost) parts_.stats->OnLost();
    return false;
  }
  ARROW_RETURN_NOT_OK(parts_.ids->Add(judged, *after.pass, committed.version));
  return true;
}

Result<bool> Refiner::RecordRules(int64_t pass) {
  lake::Table* const rejects = parts_.tables->rejects.get();
  ARROW_ASSIGN_OR_RAISE(const auto known, ReadFingerprintUses(*rejects->snapshot()));
  ARROW_ASSIGN_OR_RAISE(
      const PassOutcome outcome,
      CommitProperties(rejects, pass, kRulesOperation,
                       FingerprintProperty(known, Fingerprint(), pass), Deadline()));
  if (outcome == PassOutcome::kDone) LogOtherRules(known, pass);
  return outcome == PassOutcome::kDone;
}

void Refiner::LogOtherRules(const std::vector<FingerprintUse>& known, int64_t pass) {
  const refine::Fingerprint& rules = parts_.judge->book().fingerprint;
  const refine::Fingerprint before = std::exchange(used_rules_, rules);
  if (known.empty() || known.back().fingerprint == Fingerprint()) return;
  Log::Info("{}",
            DescribeOtherRules(
                pass, before.empty() ? std::vector<std::string>() : ChangedParts(before, rules),
                *parts_.tables->silver->snapshot()));
}

// The rows of a pass that rejects has, but for those that it rejected.
Result<StepOutcome> Refiner::FinishSilver(int64_t pass) {
  ARROW_RETURN_NOT_OK(CheckBronze());
  ARROW_ASSIGN_OR_RAISE(const bool is_recorded, RecordRules(pass));
  if (!is_recorded) return StepOutcome::kWorked;
  lake::Table* const rejects = parts_.tables->rejects.get();
  const PassPlan plan = PlanToFinish(rejects_, silver_);
  InputStats stats;
  ARROW_ASSIGN_OR_RAISE(const auto input,
                        ReadPassRows(parts_.tables->bronze.get(), plan, {}, &stats));
  ARROW_ASSIGN_OR_RAISE(
      const RowOffsets rejected,
      ReadRejectedOffsets(parts_.store, rejects->path(), *rejects->snapshot(), pass));
  ARROW_ASSIGN_OR_RAISE(const auto reasons, AsDecided(*input->rows, rejected));
  const RefineColumns columns = RefineColumns::From(input->rows->schema());
  ARROW_ASSIGN_OR_RAISE(const Verdicts verdicts, parts_.judge->Look(columns, input->rows));
  const PassStamp stamp{.pass = pass, .refined_at_ms = WallClockMillis()};
  ARROW_ASSIGN_OR_RAISE(const JudgedRows judged,
                        CombineRows(columns, *input, verdicts, reasons, stamp));
  ARROW_ASSIGN_OR_RAISE(const bool in_silver, CommitSilver(columns, judged, rejects_));
  if (in_silver) Log::Info("Finished pass {} of an earlier refine in Silver.", pass);
  return StepOutcome::kWorked;
}

GoldSources Refiner::Sources() const {
  const RefineTables& tables = *parts_.tables;
  return {.store = parts_.store,
          .silver_path = tables.silver->path(),
          .rejects_path = tables.rejects->path(),
          .silver = tables.silver->snapshot(),
          .rejects = tables.rejects->snapshot()};
}

Status Refiner::CommitGold(const std::vector<std::string>& gold, const RefineColumns& columns,
                           const GoldInput& input) {
  for (const std::string& table : gold) {
    ARROW_ASSIGN_OR_RAISE(const PassOutcome outcome, parts_.stats->Timed("gold", table, [&] {
      return parts_.gold->Commit(table, columns, Sources(), input, Deadline());
    }));
    if (outcome == PassOutcome::kLost) parts_.stats->OnLost();
  }
  return Status::OK();
}

// A pass that Silver has and these tables do not.
Status Refiner::FinishGold(const std::vector<std::string>& gold) {
  ARROW_ASSIGN_OR_RAISE(const RefineColumns columns, Columns());
  ARROW_ASSIGN_OR_RAISE(const GoldInput input, ReadGoldInput(Sources(), columns, silver_));
  return CommitGold(gold, columns, input);
}

Status Refiner::BuildGold(const std::vector<std::string>& gold) {
  ARROW_ASSIGN_OR_RAISE(const RefineColumns columns, Columns());
  for (const std::string& table : gold) {
    Log::Info("Building table {} from {}.", table, parts_.tables->silver->path());
    ARROW_RETURN_NOT_OK(parts_.stats->Timed("build_gold", table, [&] {
      return parts_.gold->Build(table, columns, Sources(), silver_, task_).status();
    }));
  }
  return Status::OK();
}

Result<RefineColumns> Refiner::Columns() const {
  const lake::Table& bronze = *parts_.tables->bronze;
  return RefineColumns::Of(bronze.path(), *bronze.snapshot());
}

std::string Refiner::Fingerprint() const { return ShortHash(parts_.judge->book().fingerprint); }

std::string Refiner::HaltFingerprint() const {
  refine::Fingerprint parts = parts_.judge->book().fingerprint;
  const auto& above = parts_.judge->book().rules.stop_above;
  if (above) {
    parts["stop_above"] = std::to_string(above->percent) + " " + std::to_string(above->rows);
  }
  return ShortHash(parts);
}

}  // namespace shopstream::refine
