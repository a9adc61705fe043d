#include "base/retry.h"

#include <algorithm>
#include <utility>

#include "base/error_kind.h"
#include "base/runtime.h"

namespace shopstream {
namespace {

// splitmix64: small, and enough to spread retries.
uint64_t NextRandom(uint64_t* state) {
  uint64_t z = (*state += 0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

}  // namespace

Backoff::Backoff(BackoffOptions options, uint64_t seed)
    : options_(options), random_state_(seed == 0 ? RandomBits() : seed) {}

std::optional<Millis> Backoff::Next(BootClock::time_point now) {
  if (!first_failure_) first_failure_ = now;
  const auto left =
      std::chrono::duration_cast<Millis>(*first_failure_ + options_.give_up_after - now);
  if (left.count() <= 0) return std::nullopt;
  const int doublings = std::min(failures_++, 30);  // 2^30 times any pause exceeds any bound.
  const Millis ceiling = std::min(options_.longest, options_.first * (int64_t{1} << doublings));
  // At least 1 ms, so that a run of small draws cannot spin.
  const auto range = static_cast<uint64_t>(std::max<int64_t>(ceiling.count(), 1));
  const Millis pause{1 + static_cast<int64_t>(NextRandom(&random_state_) % range)};
  return std::min(pause, left);
}

void Backoff::Reset() {
  failures_ = 0;
  first_failure_.reset();
}

Retry::Retry(RetryOptions options) : options_(std::move(options)), backoff_(options_.patience) {}

Status Retry::Wait(const Status& why) {
  if (!IsUnavailable(why)) return why;
  if (options_.stop.requested()) return Status::OK();
  const std::optional<Millis> pause = backoff_.Next(BootClock::now());
  if (!pause) {
    return options_.gave_up.empty() ? why : why.WithMessage(options_.gave_up, ": ", why.message());
  }
  if (options_.on_wait) options_.on_wait(why, *pause);
  options_.stop.WaitFor(*pause);
  return Status::OK();
}

}  // namespace shopstream
