#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "model/data_file.h"
#include "tables/erased_offsets.h"
#include "tables/refine_state.h"

// Whole dates that are no longer kept. Rows without a date are kept.
namespace shopstream::refine {

// The operation of the commit that removes them, and of one that removes those of an archive.
inline constexpr char kRetainOperation[] = "RETAIN";
inline constexpr char kReleaseOperation[] = "ARCHIVE";

// The dates of a table below a horizon.
struct ExpiredDates {
  int32_t first_kept = 0;       // The horizon, or the first date that has to stay.
  std::vector<DataFile> files;  // Those of the dates below it.
  std::set<int32_t> dates;      // Days since 1970.
  tables::OffsetsByTopic offsets;
  int64_t rows = 0;
  // Dates below the horizon that stay: of Bronze from the first that has rows that are not refined,
  // of the rejects those that Silver has not lost.
  std::set<int32_t> not_refined, in_silver;
};

// `refined`: how far Silver is, for Bronze, of which only dates go that are wholly refined, up to
// the first that is not; null: nothing else is made from the table. Reads where the rows came from.
Result<ExpiredDates> FindExpired(const lake::Table& table, int32_t horizon,
                                 const tables::RefineStanding* refined);

// Removes them in one commit, which also records the horizon and where the rows came from. `task`:
// for the commit's info; 0: none. No commit if there is nothing to remove and the horizon is known.
// Unavailable: a file was replaced meanwhile, or storage does not answer; look again.
Status CommitExpired(lake::Table* table, const ExpiredDates& expired, int64_t task,
                     BootClock::time_point deadline);

// What a run of `table archive` has copied, see tables/archive.h.
struct ArchivedFiles {
  int64_t run = 0;
  std::string digest;  // tables::DigestOf
};

// As CommitExpired, and records that the table has released the run. False, and nothing is changed:
// the files are not those that the run has copied, dates have to stay, there is a later run, or
// other writers were faster.
Result<bool> ReleaseArchived(lake::Table* table, const ExpiredDates& expired,
                             const ArchivedFiles& archived, int64_t task,
                             BootClock::time_point deadline);

// As FindExpired, of Silver or, with `silver`, of the rejects, which keep what Silver keeps: Gold
// is made from both. Without offsets. Their horizon never moves back.
Result<ExpiredDates> FindExpiredRefined(const lake::Snapshot& table, int32_t horizon,
                                        const lake::Snapshot* silver);

}  // namespace shopstream::refine
