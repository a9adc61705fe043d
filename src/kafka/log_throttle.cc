#include "kafka/log_throttle.h"

namespace shopstream::kafka {

std::optional<int> LogThrottle::Pass(std::string_view facility, std::string_view text,
                                     BootClock::time_point now) {
  std::string name(facility);
  if (text.starts_with('[')) name += text.substr(0, text.find(']'));
  if (kinds_.size() >= kMaxKinds) kinds_.clear();
  const auto [kind, is_new] = kinds_.try_emplace(std::move(name), Kind{now, 0});
  if (is_new) return 0;
  if (now - kind->second.passed < interval_) {
    ++kind->second.held_back;
    return std::nullopt;
  }
  const int held_back = kind->second.held_back;
  kind->second = {now, 0};
  return held_back;
}

}  // namespace shopstream::kafka
