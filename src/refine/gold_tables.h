#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "refine/columns.h"
#include "refine/files_in_force.h"
#include "refine/gold_build.h"
#include "refine/gold_file.h"
#include "refine/gold_files.h"
#include "refine/gold_merge.h"
#include "refine/gold_pass.h"
#include "refine/next_step.h"
#include "sql/engine.h"
#include "tables/refine_task.h"

namespace shopstream::refine {

// The tables of the Gold files. One thread.
class GoldTables {
 public:
  // What is opened is used through the table that this returns.
  using Wrap = std::function<std::unique_ptr<lake::Table>(std::unique_ptr<lake::Table>)>;
  // How a merge is opened; one that is the same for a file and columns may be shared by several
  // refines of one thread.
  using OpenMerge =
      std::function<Result<std::shared_ptr<GoldMerge>>(const GoldFile&, const RefineColumns&)>;
  struct Options {
    std::string folder;  // Relative to the lake's root.
    sql::EngineOptions engine;
    Wrap wrap = nullptr;             // Null: as it is.
    OpenMerge open_merge = nullptr;  // Null: GoldMerge::Open.
  };
  // `seen` as in CommitGold. Borrowed; both outlive it.
  GoldTables(lake::ObjectStore* store, SeenIndex* seen, Options options);

  // The tables are those of these files from now on. Errors name the file that cannot be used, and
  // its line.
  Status TakeFiles(GoldSource source, const RefineColumns& columns);
  // Takes the files again if they have changed. If one cannot be used, those in force stay; see
  // broken().
  void Reload(const RefineColumns& columns);
  // OK: the files in force are those of the source.
  const Status& broken() const { return files_->broken(); }

  // Refreshes the tables that exist.
  Result<std::vector<GoldView>> Look();
  // Of all files. Any thread.
  std::vector<std::string> Tables() const;

  // For a table of the last look; see CommitGold and BuildGold.
  Result<PassOutcome> Commit(const std::string& table, const RefineColumns& columns,
                             const GoldSources& sources, const GoldInput& input,
                             BootClock::time_point deadline);
  // `task`: that is kept, if there is one.
  Result<PassOutcome> Build(const std::string& table, const RefineColumns& columns,
                            const GoldSources& sources, const tables::RefineStanding& standing,
                            const std::optional<tables::RefineTask>& task);
  // See RestateGold.
  Result<PassOutcome> Restate(const std::string& table, const RefineColumns& columns,
                              const GoldSources& sources, const tables::RefineStanding& standing,
                              const tables::RefineTask& task);

 private:
  struct Gold {
    GoldFile file;
    std::unique_ptr<lake::Table> table = nullptr;     // Null: absent.
    std::shared_ptr<GoldMerge> merge = nullptr;       // Null: not needed yet.
    std::shared_ptr<arrow::Schema> merged = nullptr;  // Silver's columns for which it was opened.
  };
  // All of them, or none.
  Status Use(const std::vector<GoldFile>& files, const RefineColumns& columns);
  Status PrepareMerge(const RefineColumns& columns, Gold* gold);

  lake::ObjectStore* const store_;
  SeenIndex* const seen_;
  const Options options_;
  mutable std::mutex mutex_;          // Guards the keys of gold_.
  std::map<std::string, Gold> gold_;  // By table.
  std::optional<FilesInForce<std::vector<GoldFile>>> files_;
};

}  // namespace shopstream::refine
