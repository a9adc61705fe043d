#pragma once

#include <cstdint>

namespace shopstream::avro {

inline constexpr int64_t kMicrosPerMilli = 1000;
inline constexpr int64_t kNanosPerMicro = 1000;
// The years 0001 to 9999 as days since 1970, both bounds included.
inline constexpr int64_t kFirstDay = -719'162;
inline constexpr int64_t kLastDay = 2'932'896;
inline constexpr int64_t kMillisPerDay = 86'400'000;
inline constexpr int64_t kFirstMillis = kFirstDay * kMillisPerDay;
inline constexpr int64_t kLastMillis = (kLastDay + 1) * kMillisPerDay - 1;
inline constexpr int64_t kFirstMicros = kFirstMillis * kMicrosPerMilli;
inline constexpr int64_t kLastMicros = (kLastMillis + 1) * kMicrosPerMilli - 1;

}  // namespace shopstream::avro
