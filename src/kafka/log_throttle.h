#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace shopstream::kafka {

// While brokers are down, the client library logs it several times per second and connection. This
// passes one line of each kind per interval and counts the rest. Not thread-safe.
class LogThrottle {
 public:
  explicit LogThrottle(Millis interval) : interval_(interval) {}

  // The number of lines of this kind suppressed since the last one passed; nothing: suppress this
  // one too. A kind is the facility and the connection, "[thrd:...]", at the start of the text.
  std::optional<int> Pass(std::string_view facility, std::string_view text,
                          BootClock::time_point now);

 private:
  struct Kind {
    BootClock::time_point passed;
    int held_back = 0;
  };
  static constexpr size_t kMaxKinds = 1000;

  const Millis interval_;
  std::map<std::string, Kind, std::less<>> kinds_;
};

}  // namespace shopstream::kafka
