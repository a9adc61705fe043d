#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"

namespace shopstream::observe {

// Reports how far a long step of a check is, about once per second.
class ProgressTicker {
 public:
  explicit ProgressTicker(const std::function<void(const std::string&)>& say) : say_(say) {}

  // Cancelled when the program is asked to stop.
  Status Tick(std::string_view what, int64_t count);

 private:
  const std::function<void(const std::string&)>& say_;
  BootClock::time_point next_ = BootClock::now() + std::chrono::seconds(1);
};

}  // namespace shopstream::observe
