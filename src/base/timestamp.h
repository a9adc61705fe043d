#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace shopstream {

// ISO 8601 -> milliseconds since the Unix epoch: 2025-10-24, 2025-10-24T08:15, 2025-10-24
// 08:15:30.123; a time may be followed by Z or an offset such as +02:00, otherwise it is UTC.
// Digits beyond milliseconds are truncated. Years 1 to 9999. Invalid names the text.
Result<int64_t> ParseTimestamp(std::string_view text);

}  // namespace shopstream
