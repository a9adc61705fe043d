#pragma once

#include <arrow/type.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "model/data_file.h"
#include "refine/pass_outcome.h"
#include "tables/refine_state.h"
#include "tables/refine_task.h"

// The commits of a pass to rejects and to Silver. The commit to rejects decides the pass: its ends,
// its rows, and which of them are rejected. Whoever finishes it puts the others into Silver.
namespace shopstream::refine {

// What a pass changes in one of the two tables.
struct PassChanges {
  tables::RefineStanding standing;  // The table's after it; its pass is set.
  std::shared_ptr<arrow::Schema> columns;
  std::map<std::string, std::string> properties = {};  // Further ones, to be set.
  std::vector<DataFile> files = {};
  std::optional<BootClock::time_point> written_since = {};  // With files.
  // Of a task: the live files that it replaces; kAgain if one of them no longer is.
  std::vector<DataFile> removes = {};
  std::string operation = "REFINE";
  std::map<std::string, int64_t> info = {};  // Further numbers, for the commit's info.
};

struct CommittedPass {
  PassOutcome outcome = PassOutcome::kDone;
  int64_t version = -1;  // With kDone: the table's, which this commit made.
};

// One commit, if the table holds the pass before it, and the pass is the table's open task or none
// is open, as standing.task says. kAgain: a vacuum may delete the files as orphans before they are
// committed, or a file to remove was replaced; drop them and look again. Unavailable: it may have
// been committed; the table's own pass shows whether it was.
Result<CommittedPass> CommitPass(lake::Table* table, const PassChanges& changes,
                                 BootClock::time_point deadline);

// Reserves a pass: from now on no other one begins before the task has ended in all tables. kLost:
// the table no longer holds the pass before it, or another task is open.
Result<PassOutcome> ReserveTask(lake::Table* rejects, const tables::RefineTask& task,
                                BootClock::time_point deadline);

// Sets properties of the table, if it still holds this pass and nobody has set them since its last
// Refresh (kLost); those that it has already are left out, and without others there is no commit.
Result<PassOutcome> CommitProperties(lake::Table* table, int64_t pass, const std::string& operation,
                                     const std::map<std::string, std::string>& properties,
                                     BootClock::time_point deadline);

}  // namespace shopstream::refine
