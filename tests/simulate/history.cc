#include "simulate/history.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "base/error_kind.h"
#include "ingest/ingest_stats.h"
#include "ingest/pipeline.h"
#include "ingest/quarantine_replay.h"
#include "lake/upkeep/compaction.h"
#include "lake/upkeep/vacuum.h"
#include "simulate/check.h"
#include "simulate/operator.h"
#include "simulate/settling.h"
#include "simulate/shrink.h"
#include "simulate/world.h"

namespace shopstream::simulate {
namespace {

constexpr int kMostRounds = 4;

// Events that a run of many histories must include.
constexpr const char* kEvents[] = {
    "all machines slept",
    "compact: conflict",
    "compact: merge committed",
    "crash after a call",
    "crash at any moment",
    "crash before a call",
    "crash between a side table and Bronze",
    "crash during a write",
    "ingest: commit",
    "ingest: fence",
    "ingest: heartbeat",
    "ingest: partition stopped",
    "kafka: corrupt batch",
    "kafka: epoch validated",
    "kafka: expired before it was read",
    "kafka: expired in a partition that had been empty",
    "kafka: leader elected",
    "kafka: leader lost",
    "kafka: log cut and grown past the lake",
    "kafka: log restored",
    "kafka: no answer",
    "kafka: no leader answers",
    "kafka: offset out of range",
    "kafka: partition revoked",
    "kafka: partitions lost",
    "kafka: topic created again",
    "kafka: transaction aborted",
    "kafka: transaction committed",
    "kafka: truncation",
    "kafka: truncation below the lake",
    "kafka: truncation detected",
    "operator: loss accepted",
    "operator: offset given up",
    "registry: a known id denied",
    "registry: a schema turns up late",
    "registry: no answer",
    "registry: unknown id",
    "replay beside an ingest",
    "replay: record brought back",
    "store: call refused",
    "store: late write",
    "store: lost reply",
    "store: outage",
    "store: replies lost for a while",
    "store: slow look",
    "store: slow write",
    "store: torn write",
    "suspended ingest",
    "suspended writer",
    "vacuum: file deleted",
    "wall clock moved",
};

class History {
 public:
  explicit History(World* world) : world_(world) {}

  void Run() {
    Scheduler& scheduler = world_->scheduler;
    for (const char* event : kEvents) world_->trace.Count(event, 0);
    for (const Action& action : world_->plan.actions) {
      scheduler.After(action.at, [this, action] { Do(action); });
    }
    world_->store.faults = world_->plan.store;
    world_->kafka.faults.metadata_fails = world_->plan.metadata_fails;
    world_->registry.denies_wrongly = world_->plan.registry_denies;
    for (int ingest = 0; ingest < Plan::kIngests; ++ingest) StartIngest(ingest);
    scheduler.Run([] { return false; }, scheduler.time() + kLastAction);
    Settle();
  }

 private:
  struct Ingest {
    int program = -1;
    std::shared_ptr<bool> stop = std::make_shared<bool>(false);
    bool suspend_at_write = false;
    int64_t suspension = 0;
  };

  void Fail(std::string what) { world_->failures.push_back(std::move(what)); }

  // ---- programs

  void StartIngest(int number) {
    if (settling_) return;
    Ingest& ingest = ingests_[number];
    ingest.stop = std::make_shared<bool>(false);
    ++starts_;
    ingest.program = world_->scheduler.StartProgram(
        "ingest-" + std::to_string(number) + "." + std::to_string(starts_),
        [this, number, stop = ingest.stop] {
          IngestMain(/*until_caught_up=*/false, stop);
          world_->scheduler.Note("ends");
          // A supervisor restarts it.
          const Millis pause{world_->chance.Between(200, 8000)};
          world_->scheduler.After(pause, [this, number] { StartIngest(number); });
        });
  }

  void IngestMain(bool until_caught_up, const std::shared_ptr<bool>& stop) {
    ingest::IngestEnd end;
    const Status status = RunIngest(
        until_caught_up, [&] { return *stop || world_->scheduler.dead(); }, &end);
    if (world_->scheduler.dead()) world_->CountSidesAhead();
    if (status.ok() && until_caught_up) last_end_ = end;
    if (status.ok()) return;
    world_->scheduler.Note("fails: " + status.ToString());
    if (world_->scheduler.dead() || (!until_caught_up && IsUnavailable(status))) return;
    // A deleted topic cannot be read, and one just created may look caught up.
    if (!until_caught_up && status.IsKeyError()) return;
    Fail("an ingest stopped: " + status.ToString());
  }

  Status RunIngest(bool until_caught_up, const std::function<bool()>& stop,
                   ingest::IngestEnd* end) {
    const Mistake mistake = world_->mistake;
    const auto store = Mistaken(mistake, world_->store.Open());
    const auto registry = Mistaken(mistake, &world_->registry);
    ARROW_ASSIGN_OR_RAISE(
        ingest::OpenLake lake,
        ingest::OpenOrCreateLake(store.get(), registry.get(), kTopic, world_->layout, stop));
    if (mistake != Mistake::kNone) {
      lake.bronze = Mistaken(mistake, std::move(lake.bronze));
      lake.quarantine = Mistaken(mistake, std::move(lake.quarantine));
      lake.sides = std::make_unique<ingest::SideTables>(
          store.get(), world_->layout, [mistake](std::unique_ptr<lake::Table> side) {
            return Mistaken(mistake, std::move(side));
          });
    }
    const auto topics = Mistaken(mistake, world_->kafka.OpenMetadata());
    const auto records =
        Mistaken(mistake, world_->kafka.OpenSource(mistake != Mistake::kReadUncommitted));
    ingest::IngestSettings settings;
    settings.topic = kTopic;
    settings.cut = {.batch_size = world_->plan.batch_size,
                    .commit_interval = world_->plan.commit_interval,
                    .batch_timeout = Millis{4000}};
    ingest::IngestStats stats;
    const auto ended = ingest::IngestInto(
        lake, {.records = records.get(), .topics = topics.get(), .registry = registry.get()},
        settings, until_caught_up, &stats, stop);
    if (ended.ok()) *end = *ended;
    world_->trace.Count("ingest: fence", stats.fences());
    world_->trace.Count("ingest: commit", stats.commits());
    world_->trace.Count("ingest: partition stopped", std::ssize(end->stopped));
    return ended.status();
  }

  // Programs that run once and may fail if the store is unavailable.
  void StartSome(const std::string& name, int64_t count,
                 Status (History::*job)(lake::ObjectStore*)) {
    for (int64_t i = 0; i < count; ++i) {
      world_->scheduler.StartProgram(name + "." + std::to_string(++starts_), [this, name, job] {
        const auto store = Mistaken(world_->mistake, world_->store.Open());
        Report(name, (this->*job)(store.get()));
      });
    }
  }

  void Report(const std::string& name, const Status& status) {
    if (!status.ok()) world_->scheduler.Note("fails: " + status.ToString());
    world_->trace.Count(name + (status.ok() ? ": done" : ": failed"));
    const bool outage = IsUnavailable(status) || status.IsKeyError() || status.IsCancelled();
    if (!status.ok() && !outage && !world_->scheduler.dead()) {
      Fail(name + " stopped: " + status.ToString());
    }
  }

  Status Replay(lake::ObjectStore* store) {
    const auto registry = Mistaken(world_->mistake, &world_->registry);
    ingest::QuarantineReplay::Options options;
    options.batch_rows = 7;
    options.stop = [this] { return settling_ || world_->scheduler.dead(); };
    if (world_->mistake == Mistake::kReplayWithoutFence) return MistakenReplay(store);
    ARROW_ASSIGN_OR_RAISE(
        const auto summary,
        ingest::ReplayQuarantine(store, registry.get(), kTopic, world_->layout, {}, options));
    world_->trace.Count("replay: record brought back", summary.replayed);
    return Status::OK();
  }

  Status MistakenReplay(lake::ObjectStore* store) {
    ARROW_ASSIGN_OR_RAISE(auto lake,
                          ingest::OpenOrCreateLake(store, &world_->registry, kTopic, world_->layout,
                                                   [this] { return world_->scheduler.dead(); }));
    const auto bronze = Mistaken(world_->mistake, std::move(lake.bronze));
    ingest::SchemaCache schemas(lake.layout,
                                [this](int32_t id) { return world_->registry.ById(id); });
    ingest::QuarantineReplay::Options options;
    options.batch_rows = 7;
    options.stop = [this] { return settling_ || world_->scheduler.dead(); };
    ingest::QuarantineReplay replay(lake.layout, kTopic, bronze.get(), lake.quarantine.get(),
                                    lake.sides.get(), &schemas, options);
    return replay.Run({}).status();
  }

  std::vector<std::string> Tables() {
    std::vector<std::string> paths = world_->SidePaths();
    paths.insert(paths.begin(), {world_->layout.table, world_->layout.quarantine_table});
    return paths;
  }

  Status Compact(lake::ObjectStore* store) {
    for (const std::string& path : Tables()) {
      ARROW_ASSIGN_OR_RAISE(auto table, lake::Table::Open(store, path));
      if (world_->mistake != Mistake::kNone) table = Mistaken(world_->mistake, std::move(table));
      lake::CompactionHooks hooks;
      hooks.stop = [this] { return settling_ || world_->scheduler.dead(); };
      ARROW_ASSIGN_OR_RAISE(const auto result, lake::Compact(table.get(), {}, hooks));
      world_->trace.Count("compact: merge committed", result.commits);
      world_->trace.Count("compact: conflict", result.conflicts);
    }
    return Status::OK();
  }

  Status AcceptLosses(lake::ObjectStore* store) { return simulate::AcceptLosses(world_, store); }

  Status Vacuum(lake::ObjectStore* store) {
    for (const std::string& path : Tables()) {
      ARROW_ASSIGN_OR_RAISE(const auto table, lake::Table::Open(store, path));
      lake::VacuumOptions options;
      if (world_->mistake == Mistake::kNoVacuumMargin) {
        options.retention = Millis{0};
        options.force = true;
      }
      ARROW_ASSIGN_OR_RAISE(const auto result, lake::Vacuum(table.get(), options, [this] {
                              return world_->scheduler.dead();
                            }));
      world_->trace.Count("vacuum: file deleted", result.files);
    }
    return Status::OK();
  }

  // ---- actions

  void Do(const Action& action) {
    Scheduler& scheduler = world_->scheduler;
    scheduler.Note(Describe(action));
    const int who = action.who;
    const Millis time{action.amount};
    switch (action.deed) {
      case Deed::kProduce:
        return world_->Produce(who, action.amount, /*open=*/false);
      case Deed::kProduceOpen:
        return world_->Produce(who, action.amount, /*open=*/true);
      case Deed::kCommitTransaction:
        return world_->EndTransaction(who, /*commit=*/true);
      case Deed::kAbortTransaction:
        return world_->EndTransaction(who, /*commit=*/false);
      case Deed::kCrash:
        world_->trace.Count("crash at any moment");
        return scheduler.Crash(ingests_[who].program);
      case Deed::kStop:
        *ingests_[who].stop = true;
        return;
      case Deed::kSuspend:
        world_->trace.Count("suspended ingest");
        return scheduler.Suspend(ingests_[who].program, time);
      case Deed::kSuspendWriter:
        return world_->store.SuspendAtWrite(ingests_[who].program, time);
      case Deed::kLosePartitions:
        return world_->kafka.LoseMember(ingests_[who].program);
      case Deed::kExpire:
        return world_->Expire(who, action.amount);
      case Deed::kRegistryOut:
        world_->registry.out = true;
        return scheduler.After(time, [this] { world_->registry.out = false; });
      case Deed::kStoreOut:
        world_->trace.Count("store: outage");
        world_->store.faults.fails_before = 1;
        return scheduler.After(time, [this] {
          world_->store.faults.fails_before = settling_ ? 0 : world_->plan.store.fails_before;
        });
      default:
        return DoMore(action);
    }
  }

  void DoMore(const Action& action) {
    switch (action.deed) {
      case Deed::kExpireUnread:
        return world_->ExpireUnread(action.who, action.amount);
      case Deed::kElect:
        if (!world_->kafka.id().empty()) world_->kafka.Elect(action.who);
        return;
      case Deed::kLoseLeader:
        return world_->LoseLeader(action.who, Millis{action.amount});
      case Deed::kTruncate:
      case Deed::kTruncateAndGrow:
        return world_->Truncate(action.who, action.amount, action.deed == Deed::kTruncateAndGrow);
      case Deed::kRestore:
        return world_->Restore(action.who, action.amount);
      case Deed::kCorrupt:
        return world_->Corrupt(action.who, Millis{action.amount});
      case Deed::kRecreateTopic:
        return world_->RecreateTopic();
      case Deed::kAcceptLoss:
        return StartSome("operator", 1, &History::AcceptLosses);
      case Deed::kRepliesLost:
        world_->trace.Count("store: replies lost for a while");
        world_->store.faults.loses_reply = 1;
        return world_->scheduler.After(Millis{action.amount}, [this] {
          world_->store.faults.loses_reply = settling_ ? 0 : world_->plan.store.loses_reply;
        });
      case Deed::kRegister:
        return world_->RegisterLateSchema();
      case Deed::kReplay:
        for (const Ingest& ingest : ingests_) {
          world_->trace.Count("replay beside an ingest",
                              world_->scheduler.ended(ingest.program) ? 0 : 1);
        }
        return StartSome("replay", action.amount, &History::Replay);
      case Deed::kCompact:
        return StartSome("compact", action.amount, &History::Compact);
      case Deed::kVacuum:
        return StartSome("vacuum", 1, &History::Vacuum);
      case Deed::kWallClock:
        return world_->MoveWallClock(ingests_[action.who].program, Millis{action.amount});
      case Deed::kSleep:
        world_->trace.Count("all machines slept");
        return world_->scheduler.Leap(Millis{action.amount * 60'000});
      default:
        return;
    }
  }

  // ---- the end

  // All faults stop, and a single ingest reads the rest, in every second history with the help of
  // an operator, who leaves no partition stopped. Then the lake is checked.
  void Settle() {
    Scheduler& scheduler = world_->scheduler;
    settling_ = true;
    world_->store.faults = {};
    world_->kafka.faults = {};
    world_->registry.out = false;
    world_->registry.denies_wrongly = 0;
    const bool helped = world_->plan.seed % 2 == 1;
    for (int32_t partition = 0; partition < Plan::kPartitions; ++partition) {
      world_->EndTransaction(partition, /*commit=*/true);
      world_->Repair(partition, /*completely=*/!helped);
    }
    for (Ingest& ingest : ingests_) *ingest.stop = true;
    const auto all_ended = [this] {
      for (int program = 0; program < world_->scheduler.programs(); ++program) {
        if (!world_->scheduler.ended(program)) return false;
      }
      return true;
    };
    scheduler.Run([] { return false; }, scheduler.time() + kLateWritesHaveLanded);
    if (!scheduler.Run(all_ended, scheduler.time() + kLongestSettling)) {
      return Fail("a program did not end");
    }
    for (int round = 0; round < (helped ? kMostRounds : 1); ++round) {
      last_end_.reset();
      world_->read_since_ms = scheduler.EpochMillis();
      scheduler.StartProgram("last-ingest", [this] {
        IngestMain(/*until_caught_up=*/true, std::make_shared<bool>(false));
      });
      if (!scheduler.Run(all_ended, scheduler.time() + kLongestSettling) || !last_end_) {
        return Fail("the last ingest did not catch up");
      }
      if (!helped || (last_end_->stopped.empty() && last_end_->missing.empty())) break;
      StartSome("operator", 1, &History::AcceptLosses);
      if (!scheduler.Run(all_ended, scheduler.time() + kLongestSettling)) {
        return Fail("the operator did not end");
      }
    }
    for (const auto& [partition, why] : last_end_->missing) {
      Fail("partition " + std::to_string(partition) + " was not read to its end: " + why);
    }
    if (helped && !last_end_->stopped.empty()) Fail("an operator could not continue a partition");
    scheduler.StartProgram("checker", [this] { Check(world_); });
    if (!scheduler.Run(all_ended, scheduler.time() + kLongestSettling)) {
      Fail("the check did not end");
    }
  }

  World* const world_;
  std::array<Ingest, Plan::kIngests> ingests_;
  int starts_ = 0;
  bool settling_ = false;
  std::optional<ingest::IngestEnd> last_end_;
};

}  // namespace

HistoryResult RunHistory(const Plan& plan, Mistake mistake, bool keep_text) {
  World world(plan, mistake, keep_text);
  History(&world).Run();
  HistoryResult result;
  result.failures = world.failures;
  for (const std::string& failure : world.failures) world.trace.Add(0, "check", failure);
  result.fingerprint = world.trace.fingerprint();
  result.counts = world.trace.counts();
  result.text = world.trace.text();
  result.records = world.next_id - 1;
  return result;
}

Plan Shrink(Plan plan, Mistake mistake) {
  const auto fails = [&](const Plan& smaller) {
    return !RunHistory(smaller, mistake).failures.empty();
  };
  for (double Plan::*rate : {&Plan::metadata_fails, &Plan::registry_denies}) {
    Plan smaller = plan;
    smaller.*rate = 0;
    if (plan.*rate > 0 && fails(smaller)) plan = smaller;
  }
  return ShrinkPlan(std::move(plan), fails);
}

}  // namespace shopstream::simulate
