#include "observe/lag_rates.h"

#include <chrono>
#include <limits>

namespace shopstream::observe {

void RateWindow::Add(BootClock::time_point now, int64_t end, int64_t next) {
  if (!seen_.empty() && (end < seen_.back().end || next < seen_.back().next)) seen_.clear();
  seen_.push_back({now, end, next});
  while (seen_.size() > 2 && seen_[1].at <= now - kWidth) seen_.pop_front();
}

LagRates RateWindow::rates() const {
  if (seen_.size() < 2) return {};
  const Seen& first = seen_.front();
  const Seen& last = seen_.back();
  const double seconds = std::chrono::duration<double>(last.at - first.at).count();
  if (seconds <= 0) return {};
  return {.in = static_cast<double>(last.end - first.end) / seconds,
          .out = static_cast<double>(last.next - first.next) / seconds};
}

std::optional<double> SecondsToClear(int64_t lag, const LagRates& rates) {
  if (lag == 0) return 0;
  if (!rates.in || !rates.out) return std::nullopt;
  const auto left = static_cast<double>(lag);
  if (left <= *rates.out * kInStepSeconds) return left / *rates.out;
  if (*rates.out <= *rates.in) return std::numeric_limits<double>::infinity();
  return left / (*rates.out - *rates.in);
}

}  // namespace shopstream::observe
