#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "refine/columns.h"
#include "refine/gold_build.h"
#include "refine/gold_file.h"
#include "refine/gold_merge.h"
#include "refine/gold_pass.h"
#include "refine/next_step.h"
#include "sql/engine.h"

namespace shopstream::refine {

// The tables of the Gold files. One thread.
class GoldTables {
 public:
  struct Options {
    std::string folder;  // Relative to the lake's root.
    sql::EngineOptions engine;
  };
  // `seen` as in CommitGold. Borrowed; both outlive it.
  GoldTables(lake::ObjectStore* store, SeenIndex* seen, Options options);

  // From now on these files.
  void SetFiles(std::vector<GoldFile> files);

  // Refreshes the tables that exist.
  Result<std::vector<GoldView>> Look();
  // Of all files.
  std::vector<std::string> Tables() const;

  // For a table of the last look; see CommitGold and BuildGold.
  Result<PassOutcome> Commit(const std::string& table, const RefineColumns& columns,
                             const GoldSources& sources, const GoldInput& input,
                             BootClock::time_point deadline);
  Result<PassOutcome> Build(const std::string& table, const RefineColumns& columns,
                            const GoldSources& sources, const tables::RefineStanding& standing);

 private:
  struct Gold {
    GoldFile file;
    std::unique_ptr<lake::Table> table = nullptr;     // Null: absent.
    std::unique_ptr<GoldMerge> merge = nullptr;       // Null: not needed yet.
    std::shared_ptr<arrow::Schema> merged = nullptr;  // Silver's columns for which it was opened.
  };
  Status OpenMerge(const RefineColumns& columns, Gold* gold);

  lake::ObjectStore* const store_;
  SeenIndex* const seen_;
  const Options options_;
  std::map<std::string, Gold> gold_;  // By table.
};

}  // namespace shopstream::refine
