#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/number.h"
#include "base/status.h"
#include "console/api.h"

namespace shopstream::console {

// A whole number of the request's query within bounds; `otherwise` if it is not given. Invalid
// names it.
inline Result<int64_t> QueryNumber(const ApiRequest& request, std::string_view name,
                                   int64_t otherwise, int64_t least, int64_t most) {
  const std::string text = request.Query(name);
  if (text.empty()) return otherwise;
  const auto number = ParseWhole<int64_t>(text);
  if (number && *number >= least && *number <= most) return *number;
  return Status::Invalid(name, "=", text, " is not a whole number from ", least, " to ", most);
}

}  // namespace shopstream::console
