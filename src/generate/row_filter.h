#pragma once

#include <vector>

#include "base/status.h"
#include "generate/source_rows.h"

namespace shopstream::generate {

// Keeps the rows that meet every condition. Returns how many it dropped. Invalid names the value
// that is not a number.
Result<int64_t> KeepWhere(const std::vector<Condition>& conditions, SourceRows* rows);

}  // namespace shopstream::generate
