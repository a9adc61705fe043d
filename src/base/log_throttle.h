#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace shopstream {

// What two reports of the same kind have in common: durations, and names that are made up each time
// (temporary files, requests), become '*'.
std::string KindOfLine(std::string_view text);

// While a server is down, what needs it reports that several times per second. This passes one line
// of each kind per interval and counts the rest. Not thread-safe.
class LogThrottle {
 public:
  explicit LogThrottle(Millis interval) : interval_(interval) {}

  // The number of lines of this kind suppressed since the last one passed, even if the kind was
  // over in between; nothing: suppress this one too. `hold`: the first lines of a kind are
  // suppressed until it has lasted that long, for what usually cures itself.
  std::optional<int> Pass(std::string_view kind, Millis hold, BootClock::time_point now);

 private:
  struct Kind {
    BootClock::time_point first, last;
    std::optional<BootClock::time_point> passed{};
    int held_back = 0;
  };
  static constexpr size_t kMaxKinds = 1000;
  // A kind without a line for this long is over; the client reconnects at least every 10 s.
  static constexpr Millis kOver{25'000};

  const Millis interval_;
  std::map<std::string, Kind, std::less<>> kinds_;
};

}  // namespace shopstream
