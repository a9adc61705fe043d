#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"

namespace shopstream::tables {

// Paths of tables that refine fills. They exist.
struct RefinedPaths {
  std::string silver, rejects;
  std::vector<std::string> gold;
};

// The tables that refine fills, each at its newest version of the last pass that all of them have:
// what one table says about a purchase, the others know. While a pass is being committed, some
// tables are one pass ahead of that.
//
// A Gold table that is more than one pass behind rejects is no longer being filled, for instance
// because its SQL was removed. It does not count, and is at its newest version.
struct CompletePass {
  int64_t pass = 0;  // 0: no pass is complete yet.
  // See RefineStanding.
  std::optional<int64_t> complete_through_ms;
  std::map<std::string, std::shared_ptr<const lake::Snapshot>> tables;  // By path.
};

// Whether a Gold table that holds `gold` counts, see CompletePass.
inline bool IsFilled(int64_t gold, int64_t rejects) { return gold >= rejects - 1; }

// The snapshot of a table to begin with: the newest, or that of an earlier time.
using NewestSnapshot =
    std::function<Result<std::shared_ptr<const lake::Snapshot>>(const std::string& path)>;

// `newest` is called for several tables at the same time. Gold tables that did not exist then
// (gone) are left out. Gone: the log of a table no longer has the version of the pass.
Result<CompletePass> ReadCompletePass(lake::ObjectStore* store, const RefinedPaths& paths,
                                      const NewestSnapshot& newest);

}  // namespace shopstream::tables
