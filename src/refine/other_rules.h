#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lake/delta/table.h"

namespace shopstream::refine {

// For the log: this pass is the first with other rules, rates or SQL. `changed`: what, see
// ChangedParts; empty: unknown. Names the command that applies them to what Silver holds.
std::string DescribeOtherRules(int64_t pass, const std::vector<std::string>& changed,
                               const lake::Snapshot& silver);

}  // namespace shopstream::refine
