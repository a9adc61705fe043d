#include "refine/gold_tables.h"

#include <utility>

#include "base/error_kind.h"
#include "tables/refine_state.h"

namespace shopstream::refine {

GoldTables::GoldTables(lake::ObjectStore* store, SeenIndex* seen, Options options)
    : store_(store), seen_(seen), options_(std::move(options)) {}

Status GoldTables::TakeFiles(GoldSource source, const RefineColumns& columns) {
  ARROW_ASSIGN_OR_RAISE(
      auto files, FilesInForce<std::vector<GoldFile>>::Open(
                      std::move(source), [&](const auto& taken) { return Use(taken, columns); }));
  files_ = std::move(files);
  return Status::OK();
}

void GoldTables::Reload(const RefineColumns& columns) {
  files_->Reload([&](const auto& files) { return Use(files, columns); });
}

// What is open for a file that has not changed stays open.
Status GoldTables::Use(const std::vector<GoldFile>& files, const RefineColumns& columns) {
  std::map<std::string, Gold> used;
  for (const GoldFile& file : files) {
    const std::string table = options_.folder + "/" + file.name;
    Gold& gold = used.emplace(table, Gold{.file = file}).first->second;
    const auto known = gold_.find(table);
    const bool is_known = known != gold_.end() && known->second.file.hash == file.hash;
    if (!is_known) ARROW_RETURN_NOT_OK(PrepareMerge(columns, &gold));
  }
  const std::lock_guard lock(mutex_);
  for (auto& [table, gold] : used) {
    const auto known = gold_.find(table);
    if (gold.merge == nullptr) gold = std::move(known->second);
  }
  gold_ = std::move(used);
  return Status::OK();
}

Result<std::vector<GoldView>> GoldTables::Look() {
  std::vector<GoldView> views;
  for (auto& [path, gold] : gold_) {
    GoldView& view = views.emplace_back(GoldView{.table = path, .pass = {}});
    if (gold.table != nullptr) {
      const Status refreshed = gold.table->Refresh().status();
      if (IsUnavailable(refreshed)) return refreshed;
      // Deleted, or built anew by another refine.
      if (!refreshed.ok()) gold.table.reset();
    }
    if (gold.table == nullptr) {
      auto table = lake::Table::Open(store_, path);
      if (table.status().IsKeyError()) continue;
      ARROW_ASSIGN_OR_RAISE(gold.table, std::move(table));
      if (options_.wrap) gold.table = options_.wrap(std::move(gold.table));
    }
    const auto snapshot = gold.table->snapshot();
    view.pass = tables::RefinePass(*snapshot);
    view.outdated = view.pass && !IsBuilt(*snapshot, gold.file);
  }
  return views;
}

std::vector<std::string> GoldTables::Tables() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> tables;
  for (const auto& [path, gold] : gold_) tables.push_back(path);
  return tables;
}

Status GoldTables::PrepareMerge(const RefineColumns& columns, Gold* gold) {
  if (gold->merge != nullptr && gold->merged->Equals(*columns.silver)) return Status::OK();
  if (options_.open_merge) {
    ARROW_ASSIGN_OR_RAISE(gold->merge, options_.open_merge(gold->file, columns));
  } else {
    ARROW_ASSIGN_OR_RAISE(gold->merge, GoldMerge::Open(gold->file, columns, options_.engine));
  }
  gold->merged = columns.silver;
  return Status::OK();
}

Result<PassOutcome> GoldTables::Commit(const std::string& table, const RefineColumns& columns,
                                       const GoldSources& sources, const GoldInput& input,
                                       BootClock::time_point deadline) {
  Gold& gold = gold_.at(table);
  if (gold.table == nullptr) return PassOutcome::kLost;  // To be built.
  ARROW_RETURN_NOT_OK(PrepareMerge(columns, &gold));
  GoldCommitOptions options;
  options.engine = options_.engine;
  options.deadline = deadline;
  return CommitGold(gold.table.get(), gold.merge.get(), sources, seen_, input, options);
}

Result<PassOutcome> GoldTables::Build(const std::string& table, const RefineColumns& columns,
                                      const GoldSources& sources,
                                      const tables::RefineStanding& standing,
                                      const std::optional<tables::RefineTask>& task) {
  Gold& gold = gold_.at(table);
  gold.table.reset();  // Its columns may change.
  ARROW_RETURN_NOT_OK(PrepareMerge(columns, &gold));
  GoldBuildOptions options;
  options.engine = options_.engine;
  if (task) options.erase = task->predicate;
  return BuildGold(table, *gold.merge, sources, standing, options);
}

Result<PassOutcome> GoldTables::Restate(const std::string& table, const RefineColumns& columns,
                                        const GoldSources& sources,
                                        const tables::RefineStanding& standing,
                                        const tables::RefineTask& task) {
  Gold& gold = gold_.at(table);
  if (gold.table == nullptr) return PassOutcome::kLost;  // To be built.
  ARROW_RETURN_NOT_OK(PrepareMerge(columns, &gold));
  GoldBuildOptions options;
  options.engine = options_.engine;
  options.erase = task.predicate;
  return RestateGold(table, *gold.merge, sources, standing, task.dates, options);
}

}  // namespace shopstream::refine
