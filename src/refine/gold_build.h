#pragma once

#include <set>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "refine/columns.h"
#include "refine/dates.h"
#include "refine/gold_file.h"
#include "refine/gold_merge.h"
#include "refine/gold_pass.h"
#include "refine/gold_sources.h"
#include "refine/gold_table.h"
#include "refine/pass_outcome.h"
#include "sql/engine.h"
#include "tables/refine_state.h"

namespace shopstream::refine {

// In the info of a commit that is a part of an erase: the table has rows of dates below this one,
// in days since 1970, that could not be computed again,
inline constexpr char kClosedBeforeInfo[] = "closedBefore";
// and the number of rows that it removed, as the condition is decided by the key.
inline constexpr char kClosedErasedInfo[] = "closedErased";

struct GoldBuildOptions {
  sql::EngineOptions engine = {};
  int64_t group_rows = 2'000'000;  // Of the sources, whose dates are built together.
  Millis commit_within{20'000};    // Once all files are written.
  // The condition of the erase that the pass is, for the rows of closed dates; "": it is none.
  std::string erase = {};
};

// Builds a Gold table from all rows of the sources up to standing.pass, in one commit that replaces
// its files, its columns and its text; creates it if it is absent. `standing`: Silver's, whose
// pass, complete-through and author are recorded; a pass that is nothing is recorded as 0. Both
// sources hold the pass. Compaction and vacuum may run meanwhile. What the table has of closed
// dates is kept, see KeepClosedGold.
//
// kDone: also if another refine has built it up to this pass or a later one. Errors: as CommitGold;
// Gone: a source was vacuumed meanwhile, refresh and repeat.
Result<PassOutcome> BuildGold(const std::string& path, const GoldMerge& merge,
                              const GoldSources& sources, const tables::RefineStanding& standing,
                              const GoldBuildOptions& options);

// Rebuilds these dates of a Gold table, for a task that changed their rows in the sources, and
// leaves the others, and closed ones. `standing`: Silver's, whose pass is the task. kLost: the
// table does not hold the pass before it, or was built from another text. Otherwise as BuildGold.
Result<PassOutcome> RestateGold(const std::string& path, const GoldMerge& merge,
                                const GoldSources& sources, const tables::RefineStanding& standing,
                                const std::set<Date>& dates, const GoldBuildOptions& options);

}  // namespace shopstream::refine
