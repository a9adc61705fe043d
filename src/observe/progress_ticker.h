#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"

namespace shopstream::observe {

// Reports how far a long step of a check is, about once per interval, and its end if there was a
// line before: "records read from Kafka: 450,000 of 1,669,307 (26 %)".
class ProgressTicker {
 public:
  explicit ProgressTicker(const std::function<void(const std::string&)>& say,
                          Millis interval = Millis{1000})
      : say_(say), interval_(interval), next_(BootClock::now() + interval) {}

  // `what` names the step, whose end is count == total. Cancelled when the program is asked to
  // stop.
  Status Tick(std::string_view what, int64_t count, int64_t total);

 private:
  const std::function<void(const std::string&)>& say_;
  Millis interval_;
  BootClock::time_point next_;
  std::string begun_;  // The step that has had a line, but not its last.
};

}  // namespace shopstream::observe
