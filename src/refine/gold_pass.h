#pragma once

#include "base/clock.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "refine/gold_merge.h"
#include "refine/gold_sources.h"
#include "refine/pass_outcome.h"
#include "sql/engine.h"
#include "tables/refine_state.h"

namespace shopstream::refine {

class SeenIndex;

// What one pass adds to every Gold table. With the columns of Silver and rejects; both may be the
// same batch, whose other columns are ignored, with other positions.
struct GoldInput {
  // Its pass, complete-through and author are recorded.
  tables::RefineStanding standing;
  SelectedRows silver, rejects;
};

// The same, read from the tables, whose last pass it is: another refine made it, or this one before
// it was killed. `columns`: those for which the statements were prepared.
// Unavailable, Gone (refresh and repeat): a file cannot be read.
Result<GoldInput> ReadGoldInput(const GoldSources& sources, const RefineColumns& columns,
                                const tables::RefineStanding& standing);

struct GoldCommitOptions {
  sql::EngineOptions engine = {};  // For reading dates that `seen` does not know.
  int64_t merge_rows = 500'000;    // Of the table that are in memory at a time; at least one date.
  BootClock::time_point deadline;  // No merge begins after it.
  Millis commit_within{10'000};    // Once the files of a merge are written.
};

// Replaces the touched dates of a Gold table by their rows together with the input's, in one commit
// that also records the pass, even if there are no rows. Each date is one file. Closed dates stay
// as they are. Only for a table
// that IsBuilt. Files that compaction replaces in between are read again.
//
// `sources` hold the pass. `seen`: the values counted so far by distinct columns; a date that it
// does not know is read from Silver. May be null for a file without distinct columns.
//
// kLost: the table does not hold the pass before this one, or was built from another text. Errors:
// the file's SQL fails (Invalid, with file and line); Unavailable; Gone: refresh and repeat.
//
// One thread for each table.
Result<PassOutcome> CommitGold(lake::Table* gold, GoldMerge* merge, const GoldSources& sources,
                               SeenIndex* seen, const GoldInput& input,
                               const GoldCommitOptions& options);

}  // namespace shopstream::refine
