#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "lake/upkeep/maintenance.h"

namespace shopstream::refine {

// Compaction, vacuum and the deletion of replaced files for the tables that refine fills, on a
// thread of their own, from construction to destruction.
class Upkeep {
 public:
  // Gold rewrites whole dates in each pass; see lake::DeleteExpired.
  static lake::MaintenanceOptions DefaultOptions();

  // `filled`: Silver and rejects. `gold`: the paths of tables that may exist by now; called before
  // each look, on that thread. All borrowed.
  Upkeep(lake::ObjectStore* store, std::vector<lake::Table*> filled,
         std::function<std::vector<std::string>()> gold,
         const lake::MaintenanceOptions& options = DefaultOptions());

 private:
  std::vector<lake::Table*> Tables();

  lake::ObjectStore* const store_;
  const std::vector<lake::Table*> filled_;
  const std::function<std::vector<std::string>()> gold_;
  // Its own, because a pass may replace the ones that it has.
  std::map<std::string, std::unique_ptr<lake::Table>> opened_;
  lake::Maintenance maintenance_;
};

}  // namespace shopstream::refine
