#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/status.h"

namespace shopstream {

// A parsed ISO 8601 time.
struct IsoTime {
  int64_t clock_millis = 0;                   // Since 1970, of the clock that the text shows.
  std::optional<int64_t> offset_millis = {};  // That clock's distance from UTC, if it is given.
};

// 2025-10-24, 2025-10-24T08:15, 2025-10-24 08:15:30.123, 20251024, 20251024T081530; a time may be
// followed by Z, UTC or an offset such as +02:00, +0200 or +02, also after a space. Digits beyond
// milliseconds are truncated. Years 1 to 9999. Invalid names the text.
Result<IsoTime> ParseIsoTime(std::string_view text);

// The same as milliseconds since the Unix epoch; without an offset it is UTC.
Result<int64_t> ParseTimestamp(std::string_view text);

}  // namespace shopstream
