#include "refine/refine_tables.h"

#include <utility>

#include "lake/store/put_proof.h"
#include "refine/columns.h"
#include "tables/refine_state.h"

namespace shopstream::refine {
namespace {

// Null: there is no such table.
Result<std::unique_ptr<lake::Table>> OpenIfPresent(lake::ObjectStore* store,
                                                   const std::string& path) {
  auto table = lake::Table::Open(store, path);
  if (table.status().IsKeyError()) return nullptr;
  return table;
}

// A pass is in both tables, so that one without the other has lost its rows.
Status CheckPair(const lake::Table* present, const std::string& missing) {
  if (present == nullptr) return Status::OK();
  const int64_t pass = tables::RefinePass(*present->snapshot()).value_or(0);
  if (pass == 0) return Status::OK();
  return Status::Invalid("table ", missing, " is missing although ", present->path(),
                         " holds pass ", pass,
                         ": restore it, or delete both to refine from the beginning");
}

Result<std::unique_ptr<lake::Table>> OpenOrCreate(lake::ObjectStore* store,
                                                  const lake::TableSpec& spec,
                                                  std::unique_ptr<lake::Table> present) {
  if (present != nullptr) return present;
  ARROW_RETURN_NOT_OK(lake::Table::Create(store, spec));
  return lake::Table::Open(store, spec.path);
}

}  // namespace

RefinePaths RefinePaths::From(const Config& config) {
  return {.bronze = config.lake.bronze_table,
          .rejects = config.refine.rejects_table,
          .silver = config.refine.silver_table,
          .gold_folder = config.refine.gold_folder};
}

Result<RefineTables> OpenRefineTables(lake::ObjectStore* store, const RefinePaths& paths) {
  RefineTables tables;
  ARROW_ASSIGN_OR_RAISE(tables.bronze, OpenIfPresent(store, paths.bronze));
  if (tables.bronze == nullptr) {
    return Status::KeyError("table ", paths.bronze, " does not exist in ", store->Describe(),
                            ": `shopstream ingest` creates it");
  }
  ARROW_ASSIGN_OR_RAISE(const RefineColumns columns,
                        RefineColumns::Of(paths.bronze, *tables.bronze->snapshot()));
  ARROW_RETURN_NOT_OK(lake::ProvePutIfAbsent(store, paths.rejects));
  ARROW_ASSIGN_OR_RAISE(tables.rejects, OpenIfPresent(store, paths.rejects));
  ARROW_ASSIGN_OR_RAISE(tables.silver, OpenIfPresent(store, paths.silver));
  if (tables.silver == nullptr) ARROW_RETURN_NOT_OK(CheckPair(tables.rejects.get(), paths.silver));
  if (tables.rejects == nullptr) ARROW_RETURN_NOT_OK(CheckPair(tables.silver.get(), paths.rejects));
  ARROW_ASSIGN_OR_RAISE(tables.rejects, OpenOrCreate(store, RejectsSpec(paths.rejects, columns),
                                                     std::move(tables.rejects)));
  ARROW_ASSIGN_OR_RAISE(tables.silver, OpenOrCreate(store, SilverSpec(paths.silver, columns),
                                                    std::move(tables.silver)));
  return tables;
}

Result<std::shared_ptr<const lake::Snapshot>> ReadNewest(lake::ObjectStore* store,
                                                         const std::string& path,
                                                         const std::string& command) {
  const auto table = lake::Table::Open(store, path);
  if (table.status().IsKeyError()) {
    return Status::KeyError("table ", path, " does not exist in ", store->Describe(), ": `",
                            command, "` creates it");
  }
  ARROW_RETURN_NOT_OK(table.status());
  return (*table)->snapshot();
}

}  // namespace shopstream::refine
