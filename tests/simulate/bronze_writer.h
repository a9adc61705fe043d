#pragma once

#include <memory>

#include "base/status.h"
#include "lake/delta/table.h"
#include "simulate/refine_world.h"

namespace shopstream::simulate {

// Commits to Bronze what ingest, a quarantine replay and another program commit, in the same form.
// One program.
class BronzeWriter {
 public:
  static Result<BronzeWriter> Open(RefineWorld* world, lake::ObjectStore* store);

  // The next purchases of each partition, without those that are in quarantine, and with the
  // progress behind them. False: there were none.
  Result<bool> CommitCut();
  // Some of those that are in quarantine, below the progress.
  Status Replay();
  // Rows without coordinates.
  Status AppendForeign(int64_t rows);

 private:
  BronzeWriter(RefineWorld* world, std::unique_ptr<lake::Table> table)
      : world_(world), table_(std::move(table)) {}

  // Writes the files; Bronze grows by the columns that the world has.
  Result<lake::Changes> WriteRows(const std::vector<BronzeRow>& rows);

  RefineWorld* const world_;
  std::unique_ptr<lake::Table> table_;
};

}  // namespace shopstream::simulate
