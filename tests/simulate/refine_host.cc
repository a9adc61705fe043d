#include "simulate/refine_host.h"

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lake/delta/table_state.h"
#include "refine/gold_files.h"
#include "refine/gold_tables.h"
#include "refine/pass_judge.h"
#include "refine/refine_tables.h"
#include "refine/refiner.h"
#include "refine/seen_index.h"
#include "refine/silver_ids.h"
#include "simulate/early_ids.h"
#include "simulate/simulated_rules.h"

namespace shopstream::simulate {
namespace {

constexpr Millis kInterval{3000};
constexpr sql::EngineOptions kEngine{.memory_bytes = 64 << 20, .threads = 1};

// Opening an engine and preparing its statements takes longer than a pass of a history. What is
// opened, or refused, depends on nothing else, so all refines of all histories share it.
template <typename T, typename Open>
Result<std::shared_ptr<T>> Shared(const std::string& key, const Open& open) {
  static std::map<std::string, Result<std::shared_ptr<T>>> opened;
  const auto known = opened.find(key);
  if (known != opened.end()) return known->second;
  return opened.emplace(key, open()).first->second;
}

Result<std::shared_ptr<refine::Judge>> SharedJudge(
    const std::shared_ptr<const refine::RuleBook>& book, const refine::RefineColumns& columns) {
  const std::string key = refine::ShortHash(book->fingerprint) + columns.bronze->ToString();
  return Shared<refine::Judge>(key, [&] { return refine::Judge::Open(book, columns, kEngine); });
}

Result<std::shared_ptr<refine::GoldMerge>> SharedMerge(const refine::GoldFile& file,
                                                       const refine::RefineColumns& columns) {
  const std::string key = file.name + columns.silver->ToString();
  return Shared<refine::GoldMerge>(key,
                                   [&] { return refine::GoldMerge::Open(file, columns, kEngine); });
}

}  // namespace

// A file on the disk, as a program has it: one that has crashed changes nothing any more.
class RefineHost::DiskFile : public PageFile {
 public:
  DiskFile(RefineHost* host, std::unique_ptr<PageFile> file)
      : host_(host), file_(std::move(file)) {}

  Status Read(int64_t offset, std::span<std::byte> into) override {
    if (host_->world_->scheduler.dead()) return Crashed();
    return file_->Read(offset, into);
  }
  Status Write(int64_t offset, std::span<const std::byte> bytes) override {
    Scheduler& scheduler = host_->world_->scheduler;
    if (scheduler.dead()) return Crashed();
    const bool by_chance = scheduler.chance()->Once(host_->world_->store.faults.crashes);
    if (!by_chance && !std::exchange(host_->kills_at_write_, false)) {
      return file_->Write(offset, bytes);
    }
    scheduler.Count("index: half of a write");
    ARROW_RETURN_NOT_OK(file_->Write(offset, bytes.first(bytes.size() / 2)));
    scheduler.Crash(scheduler.program());
    return Crashed();
  }
  Result<int64_t> Size() override {
    if (host_->world_->scheduler.dead()) return Crashed();
    return file_->Size();
  }
  Status Sync() override {
    if (host_->world_->scheduler.dead()) return Crashed();
    return file_->Sync();
  }

 private:
  RefineHost* const host_;
  const std::unique_ptr<PageFile> file_;
};

class RefineHost::Disk : public PageFolder {
 public:
  explicit Disk(RefineHost* host) : host_(host) {}

  Result<std::unique_ptr<PageFile>> Open(const std::string& name) override {
    if (host_->world_->scheduler.dead()) return Crashed();
    ARROW_ASSIGN_OR_RAISE(auto file, host_->pages_.Open(name));
    return std::make_unique<DiskFile>(host_, std::move(file));
  }
  Result<bool> Has(const std::string& name) override {
    if (host_->world_->scheduler.dead()) return Crashed();
    return host_->pages_.Has(name);
  }
  Status Remove(const std::string& name) override {
    if (host_->world_->scheduler.dead()) return Crashed();
    return host_->pages_.Remove(name);
  }
  Result<std::vector<Entry>> List() override {
    if (host_->world_->scheduler.dead()) return Crashed();
    return host_->pages_.List();
  }
  Status Sync() override {
    if (host_->world_->scheduler.dead()) return Crashed();
    return host_->pages_.Sync();
  }
  Result<std::string> BootId() override {
    if (host_->mistake_ == RefineMistake::kPowerLossUnnoticed) return "always-the-same";
    return host_->pages_.BootId();
  }

 private:
  RefineHost* const host_;
};

void RefineHost::LoseIndex(int how) {
  if (how == 0) {
    world_->trace.Count("index: deleted");
    for (const auto& entry : pages_.List().ValueOr({})) {
      if (!pages_.Remove(entry.name).ok()) world_->failures.push_back("a file was not removed");
    }
  } else if (how == 1) {
    kills_at_write_ = true;
  } else {
    world_->trace.Count("index: power lost");
    pages_.LosePower([this] { return world_->chance.Once(0.5); });
  }
}

Status RefineHost::Run(const refine::RefineMode& mode, const std::function<bool()>& stop) {
  const auto store = world_->store.Open();
  const refine::RefinePaths paths{.bronze = kBronzeTable,
                                  .rejects = kRejectsTable,
                                  .silver = kSilverTable,
                                  .gold_folder = kGoldFolder};
  ARROW_ASSIGN_OR_RAISE(refine::RefineTables tables, refine::OpenRefineTables(store.get(), paths));
  const std::string table_id = lake::StateOf(*tables.silver->snapshot()).metadata().id;
  ARROW_ASSIGN_OR_RAISE(const auto columns,
                        refine::RefineColumns::Of(kBronzeTable, *tables.bronze->snapshot()));
  std::unique_ptr<refine::SeenIndex> index;
  tables.rejects = Mistaken(mistake_, TableKind::kRejects, std::move(tables.rejects));
  if (mistake_ == RefineMistake::kIndexAheadOfSilver) {
    tables.rejects = Announcing(
        [&](const lake::Changes& changes) {
          return InsertEarly(*tables.bronze, *tables.rejects, changes, index.get());
        },
        std::move(tables.rejects));
  }
  tables.silver = Mistaken(mistake_, TableKind::kSilver, std::move(tables.silver));
  ARROW_ASSIGN_OR_RAISE(const auto judge,
                        refine::PassJudge::Open(RulesFrom(&world_->rules), columns, SharedJudge));
  Disk disk(this);
  ARROW_ASSIGN_OR_RAISE(index, refine::SeenIndex::Open(&disk, {.table_id = table_id}));
  refine::SilverIds ids(store.get(), kSilverTable, index.get());
  const auto mistaken_gold = [this](std::unique_ptr<lake::Table> table) {
    return Mistaken(mistake_, TableKind::kGold, std::move(table));
  };
  refine::GoldTables gold(
      store.get(), index.get(),
      {.folder = kGoldFolder, .engine = kEngine, .wrap = mistaken_gold, .open_merge = SharedMerge});
  ARROW_RETURN_NOT_OK(gold.TakeFiles(refine::GoldFilesIn(""), columns));
  refine::RefineStats stats;
  refine::Refiner refiner({.store = store.get(),
                           .tables = &tables,
                           .judge = judge.get(),
                           .ids = &ids,
                           .gold = &gold,
                           .stats = &stats},
                          {.pass_rows = world_->plan.pass_rows,
                           .until_caught_up = !mode.watch,
                           .restate = mode.restate,
                           .task = mode.task});
  const auto end = refine::RunSteps(&refiner, mode, {.interval = kInterval}, stop, [] {});
  ARROW_RETURN_NOT_OK(end.status());
  return index->Close();
}

}  // namespace shopstream::simulate
