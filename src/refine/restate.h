#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "lake/store/object_store.h"
#include "model/data_file.h"
#include "refine/columns.h"
#include "refine/dates.h"
#include "refine/judged_rows.h"
#include "refine/pass_judge.h"
#include "refine/refine_tables.h"
#include "refine/refined_rows.h"
#include "refine/rejected_offsets.h"
#include "refine/silver_ids.h"
#include "tables/refine_state.h"

namespace shopstream::refine {

struct RestatedFiles {
  std::vector<DataFile> files;                         // Durable but in no version yet.
  std::vector<DataFile> replaced;                      // Live.
  std::optional<BootClock::time_point> written_since;  // With files.
  Tally tally;
};

// Judges the rows of some dates again: those that earlier passes have decided, and no others. The
// commit to rejects decides the verdict, as in any pass; Silver gets the other rows.
class Restate {
 public:
  // As of the last Refresh of the tables. `standing`: of rejects. Borrowed; all outlive it.
  Restate(lake::ObjectStore* store, const RefineTables& tables, PassJudge* judge, SilverIds* ids,
          const tables::RefineStanding& standing, const RefinedRows::Limits& limits);

  // The new verdict. Of several copies, the one that Silver has stays if no rule rejects it.
  Result<RestatedFiles> Rejects(const std::set<Date>& dates, const PassStamp& stamp);
  // The rows that are not among the rejects, which hold the pass.
  Result<RestatedFiles> Silver(const std::set<Date>& dates, const PassStamp& stamp);

 private:
  Status JudgeDate(const RefinedRows& rows, Date date, const PassStamp& stamp,
                   RestatedFiles* restated);
  Status WriteVerdict(const PassRows& rows, const PassStamp& stamp, RestatedFiles* restated);
  Status WriteAccepted(const PassRows& rows, const PassStamp& stamp, RestatedFiles* restated);
  Result<RefinedRows> Refined() const;

  lake::ObjectStore* const store_;
  const RefineTables& tables_;
  PassJudge* const judge_;
  SilverIds* const ids_;
  const tables::RefineStanding& standing_;
  const RefinedRows::Limits limits_;
};

// The first date that all three tables keep; nothing: all of them have all dates. Earlier dates
// cannot be judged again.
Result<std::optional<int32_t>> FirstDateToRestate(const RefineTables& tables);

// The dates of the three tables within the bounds, in groups of about `group_rows` rows of Bronze,
// at least one date each, from FirstDateToRestate on. Without bounds also rows without a date.
Result<std::vector<std::vector<Date>>> GroupsToRestate(const RefineTables& tables,
                                                       std::optional<int32_t> from,
                                                       std::optional<int32_t> to,
                                                       int64_t group_rows);

}  // namespace shopstream::refine
