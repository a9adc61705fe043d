#include "simulate/refine_history.h"

#include <array>
#include <functional>
#include <memory>
#include <utility>

#include "base/error_kind.h"
#include "base/runtime.h"
#include "lake/delta/table.h"
#include "lake/upkeep/compaction.h"
#include "lake/upkeep/repair_file.h"
#include "lake/upkeep/vacuum.h"
#include "refine/status.h"
#include "simulate/bronze_writer.h"
#include "simulate/refine_check.h"
#include "simulate/refine_export.h"
#include "simulate/refine_host.h"
#include "simulate/refine_task_mode.h"
#include "simulate/refine_watch.h"
#include "simulate/refine_world.h"
#include "simulate/settling.h"
#include "simulate/shrink.h"
#include "tables/refine_halt.h"
#include "tables/refine_state.h"

namespace shopstream::simulate {
namespace {

constexpr Millis kRewriteDeadline{8000};
constexpr int64_t kDayMillis = 86'400'000;

// Events that a run of many histories must include.
constexpr const char* kRefineEvents[] = {
    "a column added",
    "all machines slept",
    "bronze: cut",
    "bronze: foreign append",
    "bronze: replay",
    "compact: conflict",
    "files rewritten by another program",
    "compact: merge committed",
    "crash after a call",
    "crash at any moment",
    "crash before a call",
    "crash during a write",
    "index: deleted",
    "index: half of a write",
    "index: power lost",
    "ingest",
    "kafka: partition added",
    "kafka: topic created again",
    "refine: halt accepted",
    "refine: halted",
    "refine: overslept",
    "refine: pass",
    "refine: erased",
    "refine: restated",
    "refine: retained",
    "rules changed",
    "store: call refused",
    "store: late write",
    "store: lost reply",
    "store: outage",
    "store: replies lost for a while",
    "store: slow look",
    "store: slow write",
    "store: torn write",
    "suspended refine",
    "suspended writer",
    "vacuum: file deleted",
    "wall clock moved",
};

class RefineHistory {
 public:
  RefineHistory(RefineWorld* world, const RefineHistoryOptions& options)
      : world_(world), options_(options), watch_(world), operators_host_(world, options.mistake) {
    for (auto& refine : refines_)
      refine.host = std::make_unique<RefineHost>(world, options.mistake);
  }

  void Run() {
    Scheduler& scheduler = world_->scheduler;
    for (const char* event : kRefineEvents) world_->trace.Count(event, 0);
    for (const RefineAction& action : world_->plan.actions) {
      scheduler.After(action.at, [this, action] { Do(action); });
    }
    world_->store.faults = world_->plan.store;
    StartWriter();
    for (int refine = 0; refine < world_->plan.refines; ++refine) StartRefine(refine);
    scheduler.Run([] { return false; }, scheduler.time() + kLastAction);
    Settle();
  }

 private:
  struct Refine {
    std::unique_ptr<RefineHost> host;
    int program = -1;
    std::shared_ptr<bool> stop = std::make_shared<bool>(false);
  };

  void Fail(std::string what) { world_->failures.push_back(std::move(what)); }
  bool settling() const { return settling_; }

  // ---- programs

  // Starts it again whenever it ends, as a supervisor does, until the history settles.
  void Supervise(const std::string& name, int* program, std::function<void()> main) {
    if (settling_) return;
    *program = world_->scheduler.StartProgram(
        name + "." + std::to_string(++starts_), [this, name, program, main = std::move(main)] {
          main();
          world_->scheduler.Note("ends");
          const Millis pause{world_->chance.Between(200, 6000)};
          world_->scheduler.After(pause,
                                  [this, name, program, main] { Supervise(name, program, main); });
        });
  }

  void StartWriter() {
    Supervise("writer", &writer_,
              [this] { Report("writer", WriteBronze(/*until_caught_up=*/false)); });
  }

  Status WriteBronze(bool until_caught_up) {
    const auto store = world_->store.Open();
    if (world_->topic != nullptr) {
      world_->trace.Count("ingest");
      return world_->topic->Ingest(store.get(), until_caught_up, [this, until_caught_up] {
        return world_->scheduler.dead() || (settling_ && !until_caught_up);
      });
    }
    ARROW_ASSIGN_OR_RAISE(auto writer, BronzeWriter::Open(world_, store.get()));
    while (!world_->scheduler.dead() && (until_caught_up || !settling_)) {
      ARROW_ASSIGN_OR_RAISE(const bool committed, writer.CommitCut());
      if (until_caught_up && !committed) break;
      Sleep(Millis{world_->chance.Between(500, 2500)});
    }
    return Status::OK();
  }

  void StartRefine(int number) {
    Refine& refine = refines_[static_cast<size_t>(number)];
    Supervise("refine-" + std::to_string(number), &refine.program, [this, &refine] {
      refine.stop = std::make_shared<bool>(settling_);
      RefineMain(refine.host.get(), {.watch = true}, refine.stop);
    });
  }

  void RefineMain(RefineHost* host, const refine::RefineMode& mode,
                  const std::shared_ptr<bool>& stop) {
    const Status status =
        host->Run(mode, [this, stop] { return *stop || world_->scheduler.dead(); });
    if (status.ok()) return;
    world_->scheduler.Note("fails: " + status.ToString());
    if (world_->scheduler.dead()) return;
    const bool is_last = !mode.watch && !mode.restate && !mode.task;
    if (!is_last && IsUnavailable(status)) return;
    // With broken rules no refine starts; one that has started keeps those that it has.
    if (world_->rules == kBrokenText && status.IsInvalid()) return;
    Fail("a refine stopped: " + status.ToString());
  }

  // As an operator does on another machine, who may lose patience.
  void StartTask(const RefineAction& action) {
    Scheduler& scheduler = world_->scheduler;
    if (operator_ >= 0 && !scheduler.ended(operator_)) return;
    const auto today = static_cast<int32_t>(world_->KafkaMillis() / kDayMillis);
    const refine::RefineMode mode = TaskMode(action, today);
    operator_ = scheduler.StartProgram("task." + std::to_string(++starts_), [this, mode] {
      RefineMain(&operators_host_, mode, stop_operator_);
    });
    if (!world_->chance.Once(0.3)) return;
    scheduler.After(Millis{world_->chance.Below(6000)}, [this] {
      if (!world_->scheduler.ended(operator_)) world_->scheduler.Crash(operator_);
    });
  }

  // Programs that run once and may fail if the store is unavailable.
  void StartSome(const std::string& name, int64_t count,
                 std::function<Status(lake::ObjectStore*)> job) {
    for (int64_t i = 0; i < count; ++i) {
      world_->scheduler.StartProgram(name + "." + std::to_string(++starts_), [this, name, job] {
        const auto store = world_->store.Open();
        Report(name, job(store.get()));
      });
    }
  }

  void Report(const std::string& name, const Status& status) {
    if (!status.ok()) world_->scheduler.Note("fails: " + status.ToString());
    const bool outage = IsUnavailable(status) || status.IsKeyError() || status.IsCancelled();
    if (!status.ok() && !outage && !world_->scheduler.dead()) {
      Fail(name + " stopped: " + status.ToString());
    }
  }

  std::vector<std::string> Tables() {
    std::vector<std::string> paths = {kBronzeTable, kSilverTable, kRejectsTable};
    const auto gold = world_->Look()->ListFolders(kGoldFolder);
    for (const std::string& name : gold.ValueOr({})) paths.push_back(kGoldFolder + ("/" + name));
    return paths;
  }

  Status Compact(lake::ObjectStore* store) {
    for (const std::string& path : Tables()) {
      auto table = lake::Table::Open(store, path);
      if (table.status().IsKeyError()) continue;
      ARROW_RETURN_NOT_OK(table.status());
      lake::CompactionHooks hooks;
      hooks.stop = [this] { return settling_ || world_->scheduler.dead(); };
      ARROW_ASSIGN_OR_RAISE(const auto result, lake::Compact(table->get(), {}, hooks));
      world_->trace.Count("compact: merge committed", result.commits);
      world_->trace.Count("compact: conflict", result.conflicts);
    }
    return Status::OK();
  }

  // As an operator does who reads `refine status`.
  Status AcceptHalt(lake::ObjectStore* store) {
    ARROW_ASSIGN_OR_RAISE(const auto rejects, lake::Table::Open(store, kRejectsTable));
    const auto snapshot = rejects->snapshot();
    ARROW_ASSIGN_OR_RAISE(
        const auto halt,
        tables::ReadRefineHalt(*snapshot, tables::RefinePass(*snapshot).value_or(0) + 1));
    if (!halt || !halt->halted()) return Status::OK();
    ARROW_RETURN_NOT_OK(refine::AcceptHalt(rejects.get(), halt->rule).status());
    world_->trace.Count("refine: halt accepted");
    return Status::OK();
  }

  Status Rewrite(lake::ObjectStore* store, int64_t times) {
    for (int64_t time = 0; time < times && !settling_ && !world_->scheduler.dead(); ++time) {
      ARROW_RETURN_NOT_OK(RewriteOnce(store));
      Sleep(Millis{world_->chance.Below(1500)});
    }
    return Status::OK();
  }

  Status RewriteOnce(lake::ObjectStore* store) {
    for (const std::string& path : Tables()) {
      auto table = lake::Table::Open(store, path);
      if (table.status().IsKeyError()) continue;
      ARROW_RETURN_NOT_OK(table.status());
      const auto snapshot = (*table)->snapshot();
      lake::Changes changes;
      changes.operation = "REORG";
      changes.data_change = false;
      changes.written_since = BootClock::now();
      for (const DataFile& file : snapshot->Files()) {
        if (!world_->chance.Once(path.starts_with(kGoldFolder) ? 0.4 : 0.08)) continue;
        ARROW_ASSIGN_OR_RAISE(const auto files,
                              lake::RewriteDataFile(store, path, file, *snapshot, {}));
        changes.adds.insert(changes.adds.end(), files.begin(), files.end());
        changes.removes.push_back(file);
      }
      if (changes.removes.empty()) continue;
      ARROW_ASSIGN_OR_RAISE(const auto result,
                            (*table)->Commit(lake::Unconditionally(std::move(changes)),
                                             BootClock::now() + kRewriteDeadline));
      const bool committed = result.outcome == lake::CommitOutcome::kCommitted;
      world_->trace.Count("files rewritten by another program", committed ? 1 : 0);
    }
    return Status::OK();
  }

  Status Vacuum(lake::ObjectStore* store) {
    for (const std::string& path : Tables()) {
      auto table = lake::Table::Open(store, path);
      if (table.status().IsKeyError()) continue;
      ARROW_RETURN_NOT_OK(table.status());
      ARROW_ASSIGN_OR_RAISE(const auto result, lake::Vacuum(table->get(), {}, [this] {
                              return world_->scheduler.dead();
                            }));
      world_->trace.Count("vacuum: file deleted", result.files);
    }
    return Status::OK();
  }

  // ---- actions

  void Do(const RefineAction& action) {
    Scheduler& scheduler = world_->scheduler;
    scheduler.Note(Describe(action));
    Refine& refine = refines_[static_cast<size_t>(action.who) % refines_.size()];
    const bool works = refine.program >= 0;
    const Millis time{action.amount};
    switch (action.deed) {
      case RefineDeed::kBuy:
        return world_->Buy(action.who, action.amount);
      case RefineDeed::kAddPartition:
        return world_->AddPartition();
      case RefineDeed::kRecreateTopic:
        return world_->RecreateTopic();
      case RefineDeed::kAddColumn:
        return world_->AddColumn();
      case RefineDeed::kCrashWriter:
        return scheduler.Crash(writer_);
      case RefineDeed::kCrashRefine:
        if (!works) return;
        world_->trace.Count("crash at any moment");
        return scheduler.Crash(refine.program);
      case RefineDeed::kStopRefine:
        *refine.stop = true;
        return;
      case RefineDeed::kSuspendRefine:
        if (!works) return;
        world_->trace.Count("suspended refine");
        return scheduler.Suspend(refine.program, time);
      case RefineDeed::kSuspendRefineAtWrite:
        if (works) world_->store.SuspendAtWrite(refine.program, time);
        return;
      case RefineDeed::kLoseIndex:
        if (works) scheduler.Crash(refine.program);
        return refine.host->LoseIndex(static_cast<int>(action.amount));
      case RefineDeed::kWallClock:
        if (!works) return;
        world_->trace.Count("wall clock moved");
        return scheduler.MoveWallClock(refine.program, time);
      case RefineDeed::kOversleep:
        if (!works) return;
        return Oversleep(&refine, action.amount);
      default:
        return DoMore(action);
    }
  }

  void DoMore(const RefineAction& action) {
    Scheduler& scheduler = world_->scheduler;
    switch (action.deed) {
      case RefineDeed::kReplayQuarantine:
        return StartSome("replay", action.amount, [this](lake::ObjectStore* store) -> Status {
          if (world_->topic != nullptr) {
            return world_->topic->Replay(store,
                                         [this] { return settling_ || world_->scheduler.dead(); });
          }
          ARROW_ASSIGN_OR_RAISE(auto writer, BronzeWriter::Open(world_, store));
          return writer.Replay();
        });
      case RefineDeed::kForeignAppend:
        if (world_->topic != nullptr) return;
        return StartSome("foreign", 1, [this, action](lake::ObjectStore* store) -> Status {
          ARROW_ASSIGN_OR_RAISE(auto writer, BronzeWriter::Open(world_, store));
          return writer.AppendForeign(action.amount);
        });
      case RefineDeed::kChangeRules:
        world_->trace.Count("rules changed");
        world_->rules = static_cast<int>(action.amount);
        return;
      case RefineDeed::kRestate:
      case RefineDeed::kRetain:
      case RefineDeed::kErase:
        return StartTask(action);
      case RefineDeed::kAcceptHalt:
        return StartSome("operator", 1,
                         [this](lake::ObjectStore* store) { return AcceptHalt(store); });
      case RefineDeed::kCompact:
        return StartSome("compact", action.amount,
                         [this](lake::ObjectStore* store) { return Compact(store); });
      case RefineDeed::kRewrite:
        return StartSome("rewrite", 1, [this, action](lake::ObjectStore* store) {
          return Rewrite(store, action.amount);
        });
      case RefineDeed::kVacuum:
        return StartSome("vacuum", 1, [this](lake::ObjectStore* store) { return Vacuum(store); });
      case RefineDeed::kStoreOut:
        world_->trace.Count("store: outage");
        world_->store.faults.fails_before = 1;
        return scheduler.After(Millis{action.amount}, [this] {
          world_->store.faults.fails_before = settling_ ? 0 : world_->plan.store.fails_before;
        });
      case RefineDeed::kRepliesLost:
        world_->trace.Count("store: replies lost for a while");
        world_->store.faults.loses_reply = 1;
        return scheduler.After(Millis{action.amount}, [this] {
          world_->store.faults.loses_reply = settling_ ? 0 : world_->plan.store.loses_reply;
        });
      case RefineDeed::kSleep:
        world_->trace.Count("all machines slept");
        return scheduler.Leap(Millis{action.amount * 60'000});
      default:
        return;
    }
  }

  // Meanwhile Bronze grows, is compacted, its log is cleaned up, and its old files are vacuumed.
  void Oversleep(Refine* refine, int64_t minutes) {
    Scheduler& scheduler = world_->scheduler;
    world_->trace.Count("refine: overslept");
    const Millis pause{3000};
    scheduler.Suspend(refine->program, Millis{minutes * 60'000} + pause * 3);
    world_->Buy(0, 10);
    DoMore({.deed = RefineDeed::kCompact, .amount = 1});
    scheduler.After(pause, [this, minutes] {
      world_->scheduler.Leap(Millis{minutes * 60'000});
      world_->Buy(1, 10);
      DoMore({.deed = RefineDeed::kVacuum});
    });
  }

  // ---- the end

  bool AllEnded() const {
    for (int program = 0; program < world_->scheduler.programs(); ++program) {
      if (!world_->scheduler.ended(program)) return false;
    }
    return true;
  }

  // False: the program did not end.
  bool RunAlone(const std::string& name, std::function<void()> main) {
    Scheduler& scheduler = world_->scheduler;
    if (main) scheduler.StartProgram(name, std::move(main));
    if (scheduler.Run([this] { return AllEnded(); }, scheduler.time() + kLongestSettling)) {
      return true;
    }
    Fail(name + " did not end");
    return false;
  }

  // All faults stop, and one refine refines the rest. Then the lake is checked.
  void Settle() {
    Scheduler& scheduler = world_->scheduler;
    settling_ = true;
    *stop_operator_ = true;
    world_->store.faults = {};
    if (world_->rules == kBrokenText || world_->rules == kStoppingText) world_->rules = 0;
    for (Refine& refine : refines_) {
      *refine.stop = true;
      refine.host->StopTrouble();
    }
    scheduler.Run([] { return false; }, scheduler.time() + kLateWritesHaveLanded);
    if (!RunAlone("a program", nullptr)) return;
    if (!RunAlone("last-writer", [this] {
          const Status status = WriteBronze(/*until_caught_up=*/true);
          if (!status.ok()) Fail("the last writer failed: " + status.ToString());
        })) {
      return;
    }
    if (!RunAlone("last-refine", [this] {
          RefineMain(refines_[0].host.get(), {}, std::make_shared<bool>(false));
        })) {
      return;
    }
    RunAlone("checker", [this] {
      CheckRefined(world_, watch_);
      if (options_.export_folder.empty()) return;
      const Status exported = ExportLake(world_, watch_, options_.export_folder);
      if (!exported.ok()) Fail("the lake cannot be exported: " + exported.ToString());
    });
  }

  RefineWorld* const world_;
  const RefineHistoryOptions& options_;
  RefineWatch watch_;
  std::array<Refine, RefinePlan::kRefines> refines_;
  RefineHost operators_host_;
  std::shared_ptr<bool> stop_operator_ = std::make_shared<bool>(false);
  int writer_ = -1;
  int operator_ = -1;
  int starts_ = 0;
  bool settling_ = false;
};

}  // namespace

HistoryResult RunRefineHistory(const RefinePlan& plan, const RefineHistoryOptions& options) {
  RefineWorld world(plan, options.keep_text);
  RefineHistory(&world, options).Run();
  HistoryResult result;
  result.failures = world.failures;
  for (const std::string& failure : world.failures) world.trace.Add(0, "check", failure);
  result.fingerprint = world.trace.fingerprint();
  result.counts = world.trace.counts();
  result.text = world.trace.text();
  for (const auto& [key, log] : world.kafka) result.records += std::ssize(log);
  return result;
}

RefinePlan Shrink(RefinePlan plan, RefineMistake mistake) {
  return ShrinkPlan(std::move(plan), [mistake](const RefinePlan& smaller) {
    return !RunRefineHistory(smaller, {.mistake = mistake}).failures.empty();
  });
}

}  // namespace shopstream::simulate
