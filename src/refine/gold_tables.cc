#include "refine/gold_tables.h"

#include <utility>

#include "base/error_kind.h"
#include "tables/refine_state.h"

namespace shopstream::refine {

GoldTables::GoldTables(lake::ObjectStore* store, SeenIndex* seen, Options options)
    : store_(store), seen_(seen), options_(std::move(options)) {}

void GoldTables::SetFiles(std::vector<GoldFile> files) {
  gold_.clear();
  for (GoldFile& file : files) {
    std::string table = options_.folder + "/" + file.name;
    gold_.emplace(std::move(table), Gold{.file = std::move(file)});
  }
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
                                      const tables::RefineStanding& standing) {
  Gold& gold = gold_.at(table);
  gold.table.reset();  // Its columns may change.
  ARROW_RETURN_NOT_OK(PrepareMerge(columns, &gold));
  GoldBuildOptions options;
  options.engine = options_.engine;
  return BuildGold(table, *gold.merge, sources, standing, options);
}

Result<PassOutcome> GoldTables::Restate(const std::string& table, const RefineColumns& columns,
                                        const GoldSources& sources,
                                        const tables::RefineStanding& standing,
                                        const std::set<Date>& dates) {
  Gold& gold = gold_.at(table);
  if (gold.table == nullptr) return PassOutcome::kLost;  // To be built.
  ARROW_RETURN_NOT_OK(PrepareMerge(columns, &gold));
  GoldBuildOptions options;
  options.engine = options_.engine;
  return RestateGold(table, *gold.merge, sources, standing, dates, options);
}

}  // namespace shopstream::refine
