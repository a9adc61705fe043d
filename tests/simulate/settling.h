#pragma once

#include "base/clock.h"

namespace shopstream::simulate {

// When the last action of a history begins at the latest; then it settles.
inline constexpr Millis kLastAction{60'000};
inline constexpr Millis kLateWritesHaveLanded{41'000};
inline constexpr Millis kLongestSettling{1'000'000};

}  // namespace shopstream::simulate
