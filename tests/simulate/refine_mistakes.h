#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/status.h"
#include "lake/delta/table.h"

namespace shopstream::simulate {

// Mistakes that the protocol of refine invites; see Mistake.
enum class RefineMistake {
  kNone,
  kPassByAtLeast,           // Commits a pass that the table already holds, or that lies behind it.
  kEndsBeforeRows,          // Two commits: the pass and its ends, then its rows.
  kGoldRegardless,          // Replaces files of Gold although one of them is no longer live.
  kReplaysForgotten,        // Does not record which replayed records are refined.
  kFinishesWithoutRejects,  // Finishes another refine's pass without asking what it rejected.
  kIndexAheadOfSilver,      // Ids are seen before the pass that has them is committed.
  kPowerLossUnnoticed,      // Trusts an index that was not synced when the machine stopped.
  kLateDatesDropped,        // Leaves rows out whose date is older than the newest one.
};
inline constexpr RefineMistake kAllRefineMistakes[] = {
    RefineMistake::kPassByAtLeast,          RefineMistake::kEndsBeforeRows,
    RefineMistake::kGoldRegardless,         RefineMistake::kReplaysForgotten,
    RefineMistake::kFinishesWithoutRejects, RefineMistake::kIndexAheadOfSilver,
    RefineMistake::kPowerLossUnnoticed,     RefineMistake::kLateDatesDropped,
};

std::string_view Name(RefineMistake mistake);  // "pass-by-at-least"

// What refine's tables are, for a mistake.
enum class TableKind { kRejects, kSilver, kGold };

// Wraps a table of refine in one that makes the mistake; the table itself if the mistake is
// elsewhere.
std::unique_ptr<lake::Table> Mistaken(RefineMistake mistake, TableKind kind,
                                      std::unique_ptr<lake::Table> right);
// The table, which calls `before` with what it is about to commit.
std::unique_ptr<lake::Table> Announcing(std::function<Status(const lake::Changes&)> before,
                                        std::unique_ptr<lake::Table> right);

}  // namespace shopstream::simulate
