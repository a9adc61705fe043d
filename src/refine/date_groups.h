#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "refine/dates.h"

namespace shopstream::refine {

// The dates that tables with the partition column date have and that are wanted, ascending, in
// groups of about `group_rows` rows of all tables together, at least one date each: what work on
// the dates of a group takes in memory is bounded.
Result<std::vector<std::vector<Date>>> GroupDates(
    const std::vector<std::shared_ptr<const lake::Snapshot>>& tables,
    const std::function<bool(Date)>& wants, int64_t group_rows);

}  // namespace shopstream::refine
