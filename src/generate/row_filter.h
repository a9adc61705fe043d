#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "generate/source_rows.h"

namespace shopstream::generate {

// Whether `pattern` describes the whole text: * is any text, ? any one character (byte).
bool Matches(std::string_view text, std::string_view pattern);

// Keeps the rows that meet every condition. Returns how many it dropped. Invalid names the value
// that is no number.
Result<int64_t> KeepWhere(const std::vector<Condition>& conditions, SourceRows* rows);

}  // namespace shopstream::generate
