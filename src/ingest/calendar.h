#pragma once

#include <cstdint>

namespace shopstream::ingest {

// The instants of the years 0001 to 9999 (UTC), in milliseconds since 1970, bounds included.
// Readers refuse every query on a table that has a date outside them.
inline constexpr int64_t kYear1Millis = -62'135'596'800'000;
inline constexpr int64_t kLastMillis = 253'402'300'799'999;

// For a record that came without one, as in kafka::RecordView.
inline constexpr int64_t kNoTimestamp = -1;

// Within these bounds, a thousandfold and a day more fit an int64.
constexpr bool IsCalendarMillis(int64_t millis) {
  return kYear1Millis <= millis && millis <= kLastMillis;
}

}  // namespace shopstream::ingest
