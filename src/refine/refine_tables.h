#pragma once

#include <memory>
#include <string>

#include "base/config.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"

namespace shopstream::refine {

// Where the tables are, relative to the lake's root.
struct RefinePaths {
  std::string bronze, rejects, silver, gold_folder;

  static RefinePaths From(const Config& config);
};

// The tables of every refine; those of Gold come and go with their files.
struct RefineTables {
  std::unique_ptr<lake::Table> bronze, rejects, silver;
};

// Opens them; creates Silver and rejects if neither exists. KeyError: there is no Bronze. Invalid:
// Bronze is not a table of purchases, or one of the other two is missing although passes were made.
Result<RefineTables> OpenRefineTables(lake::ObjectStore* store, const RefinePaths& paths);

// The newest version of a table. KeyError: it does not exist; the command creates it.
Result<std::shared_ptr<const lake::Snapshot>> ReadNewest(lake::ObjectStore* store,
                                                         const std::string& path,
                                                         const std::string& command);

}  // namespace shopstream::refine
