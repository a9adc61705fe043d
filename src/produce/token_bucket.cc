#include "produce/token_bucket.h"

#include <algorithm>
#include <cmath>

namespace shopstream::produce {
namespace {
constexpr double kKeptSeconds = 0.5;
constexpr double kNanos = 1e9;
}  // namespace

TokenBucket::TokenBucket(double rate, BootClock::time_point now)
    : rate_(rate), capacity_(std::max(1.0, rate * kKeptSeconds)), filled_at_(now) {}

double TokenBucket::TokensAt(BootClock::time_point now) const {
  const double seconds = static_cast<double>((now - filled_at_).count()) / kNanos;
  return std::min(capacity_, tokens_ + seconds * rate_);
}

int64_t TokenBucket::Take(int64_t wanted, BootClock::time_point now) {
  tokens_ = TokensAt(now);
  filled_at_ = now;
  const int64_t taken = std::min(wanted, static_cast<int64_t>(tokens_));
  tokens_ -= static_cast<double>(taken);
  return taken;
}

BootClock::duration TokenBucket::UntilAvailable(int64_t wanted, BootClock::time_point now) const {
  const double missing = std::min(static_cast<double>(wanted), capacity_) - TokensAt(now);
  if (missing <= 0) return BootClock::duration{0};
  // Rounded up, so that the tokens are available after this time.
  return BootClock::duration{static_cast<int64_t>(std::ceil(missing / rate_ * kNanos)) + 1};
}

}  // namespace shopstream::produce
