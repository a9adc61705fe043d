#include "refine/refine_loop.h"

#include <map>
#include <memory>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/log.h"
#include "base/page_file.h"
#include "base/runtime.h"
#include "lake/delta/table_state.h"
#include "lake/store/object_store.h"
#include "refine/gold_files.h"
#include "refine/gold_merge.h"
#include "refine/gold_tables.h"
#include "refine/judge.h"
#include "refine/pass_judge.h"
#include "refine/refine_tables.h"
#include "refine/rule_book.h"
#include "refine/seen_index.h"
#include "refine/silver_ids.h"
#include "refine/upkeep.h"

namespace shopstream::refine {
namespace {

constexpr Millis kWaitsForRows{30'000};
constexpr Millis kCommitDeadline{10'000};
constexpr Millis kShortPause{200};

// Repeated steps that find a file gone, each after another look at the tables.
constexpr int kMostGone = 3;

// Repeats a start-up step while storage may still be coming up.
template <typename Step>
auto WithPatience(const std::function<bool()>& stop, const Step& step) -> decltype(step()) {
  Retry retry(
      {.patience = {.first = Millis{200}, .longest = Millis{2000}, .give_up_after = Millis{60'000}},
       .stop = StopToken(stop),
       .on_wait = [](const Status& why, Millis) {
         Log::Warn("Waiting for the lake: {}", why.message());
       }});
  return retry.Run(step);
}

// Half of the memory is for SQL, a quarter for the rows of a pass; the rest encodes them.
struct MemoryShares {
  int64_t sql_bytes, row_bytes;
};
MemoryShares ShareMemory(int64_t limit_mb) {
  const int64_t bytes = limit_mb << 20;
  return {.sql_bytes = bytes / 2, .row_bytes = bytes / 4};
}

// The index in a folder of its own for each table of Silver, so that a table that is created again
// does not meet the index of the earlier one.
struct OpenIndex {
  std::unique_ptr<PageFolder> folder;
  std::unique_ptr<SeenIndex> ids;
};

// Two refines on one host each have a folder: the second one's name ends in "-2".
Result<OpenIndex> OpenSeenIndex(const RefineConfig& config, const lake::Table& silver) {
  const std::string table_id = lake::StateOf(*silver.snapshot()).metadata().id;
  OpenIndex index;
  for (const char* suffix : {"", "-2", "-3", "-4"}) {
    const std::string path = config.state_folder + "/" + table_id + suffix;
    auto folder = OpenPageFolder(path);
    if (!folder.ok()) {
      return folder.status().WithMessage("cannot use the folder ", path, ": ",
                                         folder.status().message(), "; set refine.state_folder");
    }
    if (*folder == nullptr) continue;
    index.folder = *std::move(folder);
    ARROW_ASSIGN_OR_RAISE(index.ids, SeenIndex::Open(index.folder.get(),
                                                     {.table_id = table_id,
                                                      .disk_bytes = config.state_limit_mb << 20}));
    return index;
  }
  return Status::Invalid(
      "four refines of this table run on this host already: stop one, or set "
      "another refine.state_folder");
}

// One program's steps.
class Steps {
 public:
  Steps(Refiner* refiner, const RefineMode& mode, const LoopOptions& options,
        const std::function<bool()>& stop, const std::function<void()>& on_tick)
      : refiner_(refiner),
        mode_(mode),
        options_(options),
        stop_(stop),
        on_tick_(on_tick),
        retry_({.patience = options.patience,
                .stop = StopToken(stop),
                .gave_up = "Gave up refining",
                .on_wait = [refiner](const Status& why, Millis pause) {
                  refiner->stats().SetRetried(why.message());
                  Log::Warn("Refining waits: {}. Retrying in {} ms; nothing is half-done.",
                            why.message(), pause.count());
                }}) {}

  Result<RefineEnd> Run();

 private:
  Result<std::optional<RefineEnd>> After(StepOutcome outcome);
  Status AfterFailure(const Status& failure);
  void PauseUntil(BootClock::time_point time);
  void LogHalt();

  Refiner* const refiner_;
  const RefineMode mode_;
  const LoopOptions options_;
  const std::function<bool()>& stop_;
  const std::function<void()>& on_tick_;
  Retry retry_;
  int gone_ = 0;
  BootClock::time_point begun_{};  // Of the current step.
  int64_t logged_halt_ms_ = 0;     // When the halt began that was logged last.
};

Result<RefineEnd> Steps::Run() {
  while (!stop_()) {
    on_tick_();
    begun_ = BootClock::now();
    const Result<StepOutcome> outcome = refiner_->Step();
    refiner_->stats().SetErasing("");
    if (outcome.status().IsCancelled() && stop_()) break;
    if (!outcome.ok()) {
      ARROW_RETURN_NOT_OK(AfterFailure(outcome.status()));
      continue;
    }
    retry_.Succeeded();
    refiner_->stats().SetRetried("");
    gone_ = 0;
    ARROW_ASSIGN_OR_RAISE(const auto end, After(*outcome));
    if (end) return *end;
  }
  return RefineEnd{.interrupted = !mode_.watch, .halt = {}};
}

// What the step looked at may have been replaced by a compaction and vacuumed since.
Status Steps::AfterFailure(const Status& failure) {
  if (KindOf(failure) == ErrorKind::kGone && ++gone_ < kMostGone) return Status::OK();
  return retry_.Wait(failure);
}

Result<std::optional<RefineEnd>> Steps::After(StepOutcome outcome) {
  switch (outcome) {
    case StepOutcome::kWorked:
      break;
    case StepOutcome::kIdle:
      if (!mode_.watch) return RefineEnd{};
      PauseUntil(begun_ + options_.interval);
      break;
    case StepOutcome::kHalted:
      if (!mode_.watch) return RefineEnd{.interrupted = false, .halt = refiner_->halt()};
      LogHalt();
      PauseUntil(begun_ + options_.interval);
      break;
    case StepOutcome::kPassed:
      if (mode_.watch) PauseUntil(begun_ + options_.interval);
      break;
    case StepOutcome::kStandby:
    case StepOutcome::kWaiting:
      PauseUntil(begun_ + std::min(options_.interval, Standby::kTakesOverAfter / 10));
      break;
  }
  return std::optional<RefineEnd>();
}

void Steps::LogHalt() {
  const tables::RefineHalt& halt = *refiner_->halt();
  if (std::exchange(logged_halt_ms_, halt.at_ms) == halt.at_ms) return;
  Log::Error(
      "Refining is halted: rule {} rejects {} of {} rows of pass {}. `shopstream refine "
      "status` shows more. To continue with these rows among the rejects: `shopstream refine "
      "accept "
      "{}`.",
      halt.rule, halt.found, halt.rows, halt.pass, halt.rule);
}

void Steps::PauseUntil(BootClock::time_point time) {
  for (auto now = BootClock::now(); now < time && !stop_(); now = BootClock::now()) {
    on_tick_();
    const auto left = std::chrono::duration_cast<Millis>(time - now) + Millis{1};
    SleepUnless(stop_, std::min(left, kShortPause));
  }
}

}  // namespace

Result<RefineEnd> RunSteps(Refiner* refiner, const RefineMode& mode, const LoopOptions& options,
                           const std::function<bool()>& stop,
                           const std::function<void()>& on_tick) {
  return Steps(refiner, mode, options, stop, on_tick).Run();
}

Status CheckRefineFiles(const Config& config, const RefineColumns& columns) {
  ARROW_ASSIGN_OR_RAISE(const auto book, ReadRuleBook(RuleFiles::Of(config.refine)));
  ARROW_RETURN_NOT_OK(Judge::Open(book, columns, {}).status());
  ARROW_ASSIGN_OR_RAISE(const auto files, LoadGoldFiles(config.refine.sql_folder));
  for (const GoldFile& file : files) {
    ARROW_RETURN_NOT_OK(GoldMerge::Open(file, columns, {}).status());
  }
  return Status::OK();
}

Result<RefineEnd> RunRefine(const Config& config, const RefineMode& mode, RefineStats* stats,
                            const std::function<bool()>& stop,
                            const std::function<void()>& on_tick) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(config));
  const RefinePaths paths = RefinePaths::From(config);
  ARROW_ASSIGN_OR_RAISE(const RefineTables tables,
                        WithPatience(stop, [&] { return OpenRefineTables(store.get(), paths); }));
  ARROW_ASSIGN_OR_RAISE(const RefineColumns columns,
                        RefineColumns::Of(paths.bronze, *tables.bronze->snapshot()));
  const MemoryShares memory = ShareMemory(config.refine.memory_limit_mb);
  const sql::EngineOptions engine{.memory_bytes = memory.sql_bytes,
                                  .threads = static_cast<int>(config.refine.threads)};
  ARROW_ASSIGN_OR_RAISE(const auto judge, PassJudge::Open(FromFiles(RuleFiles::Of(config.refine)),
                                                          columns, PassJudge::NewJudge(engine)));
  ARROW_ASSIGN_OR_RAISE(const OpenIndex index, OpenSeenIndex(config.refine, *tables.silver));
  SilverIds ids(store.get(), paths.silver, index.ids.get());
  GoldTables gold(store.get(), index.ids.get(), {.folder = paths.gold_folder, .engine = engine});
  ARROW_RETURN_NOT_OK(gold.TakeFiles(GoldFilesIn(config.refine.sql_folder), columns));
  // Its own tables: a pass needs the versions that it has looked at.
  std::unique_ptr<lake::Table> kept_rejects, kept_silver;
  std::optional<Upkeep> upkeep;
  if (config.refine.maintenance) {
    ARROW_ASSIGN_OR_RAISE(kept_rejects, lake::Table::Open(store.get(), paths.rejects));
    ARROW_ASSIGN_OR_RAISE(kept_silver, lake::Table::Open(store.get(), paths.silver));
    upkeep.emplace(store.get(), std::vector<lake::Table*>{kept_rejects.get(), kept_silver.get()},
                   [&gold] { return gold.Tables(); });
  }
  const auto on_search = [&](const std::string& table, int64_t files, int64_t of) {
    stats->SetErasing(table + ", " + FormatCount(files) + " of " + Counted(of, "file"));
    on_tick();
  };
  Refiner refiner({.store = store.get(),
                   .tables = &tables,
                   .judge = judge.get(),
                   .ids = &ids,
                   .gold = &gold,
                   .stats = stats,
                   .erase_quarantine = mode.erase_quarantine,
                   .search = {.stop = stop, .progress = on_search}},
                  {.pass_rows = config.refine.pass_rows,
                   .row_bytes = memory.row_bytes,
                   .commit_deadline = kCommitDeadline,
                   .wait_for_rows = mode.watch ? kWaitsForRows : Millis{0},
                   .until_caught_up = !mode.watch,
                   .restate = mode.restate,
                   .task = mode.task});
  auto end =
      RunSteps(&refiner, mode, {.interval = Millis{config.refine.interval_ms}}, stop, on_tick);
  ARROW_RETURN_NOT_OK(index.ids->Close());
  if (end.ok()) end->task = refiner.task_pass();
  return end;
}

}  // namespace shopstream::refine
