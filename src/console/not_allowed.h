#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/status.h"

namespace shopstream::console {

// An error about a missing permission as a state of its own, neither up nor down:
//
//   {"state": "not_allowed", "reason": "...", "remedy": "grant it ..."}
//
// Any other answer or error stays as it is.
Result<nlohmann::ordered_json> AsState(Result<nlohmann::ordered_json> answer);

nlohmann::ordered_json NotAllowed(const Status& refused);

}  // namespace shopstream::console
