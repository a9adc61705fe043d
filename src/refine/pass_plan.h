#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/status.h"
#include "lake/delta/table.h"
#include "model/offset_range.h"
#include "tables/progress.h"
#include "tables/refine_state.h"
#include "tables/replayed_offsets.h"

namespace shopstream::refine {

// What an operator does about it.
inline constexpr char kBronzeRestored[] =
    "Restore Silver, rejects and Gold as they were at the same time, or delete their folders and "
    "run `shopstream refine`, which starts over with what Bronze has";

// Which rows of Bronze one pass decides: those with an offset in `ranges`, and those in `replayed`.
// Offsets alone identify them, wherever compaction or another program moved them, so that every
// refine that works on the pass finds the same rows.
struct PassPlan {
  int64_t pass = 0;
  // All rows of this version of Bronze are decided by earlier passes. Only narrows the search.
  std::optional<int64_t> decided_version;
  // From the ends of the previous pass to those of this one. None is empty.
  std::map<tables::ProgressKey, OffsetRange> ranges;
  // By topic id: replayed records outside of the ranges, below the ends of the previous pass.
  std::map<std::string, tables::ReplayedOffsets> replayed;
  // By topic id: every replayed record that this pass or an earlier one decides. One inside the
  // ranges that is not here was replayed after the plan was made, and belongs to a later pass.
  std::map<std::string, tables::ReplayedOffsets> decided_replays;
  // The version of Bronze that the plan was made for, if the pass decides all the rest of it.
  std::optional<int64_t> reached_version;

  bool empty() const { return ranges.empty() && replayed.empty(); }
};

// The pass after the one of `rejects`, which all tables have. At most `pass_rows` rows,
// plus one for each Kafka partition; each partition gets a share in proportion to what is left of
// it, so that all of them progress in time together. Empty: there is nothing to decide. A pass that
// finds no rows is needed nevertheless unless it reaches Bronze's version: the offsets may all be
// gaps.
// Invalid: Bronze ends below what is decided, or a property is damaged.
Result<PassPlan> PlanPass(const tables::RefineStanding& rejects, const lake::Snapshot& bronze,
                          int64_t pass_rows);

// What the tables record once they have the pass. complete_through_ms and author are the caller's.
tables::RefineStanding StandingAfter(const tables::RefineStanding& before, const PassPlan& plan);

// A pass of everything that is decided.
PassPlan PlanOfDecided(const tables::RefineStanding& standing);

// The pass that `rejects` has and `silver` does not have yet.
PassPlan PlanToFinish(const tables::RefineStanding& rejects, const tables::RefineStanding& silver);

}  // namespace shopstream::refine
