#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "base/stop.h"

namespace shopstream {

// Exponential back-off with full jitter and a limit.
struct BackoffOptions {
  Millis first{100};
  Millis longest{5000};
  Millis give_up_after{30000};  // Since the first failure; no pause extends past it.
};

class Backoff {
 public:
  explicit Backoff(BackoffOptions options, uint64_t seed = 0);  // seed 0: random
  // The pause before the next attempt, or nothing once the limit is reached.
  std::optional<Millis> Next(BootClock::time_point now);
  void Reset();  // After a success.

 private:
  BackoffOptions options_;
  uint64_t random_state_;
  int failures_ = 0;
  std::optional<BootClock::time_point> first_failure_;
};

struct RetryOptions {
  BackoffOptions patience;
  StopToken stop = {};
  // How the error begins once patience has run out: "gave up compacting bronze-events". Empty: the
  // error is unchanged.
  std::string gave_up = {};
  // Called before each pause.
  std::function<void(const Status& why, Millis pause)> on_wait = {};
};

// Repeats work that failed because something was unavailable, the only error that time can fix. One
// thread.
class Retry {
 public:
  explicit Retry(RetryOptions options);

  // Runs `step`, which returns a Status or a Result, until it succeeds, its error is final,
  // patience runs out or a stop is requested. Returns the last outcome.
  template <typename Step>
  auto Run(const Step& step) -> decltype(step()) {
    while (true) {
      auto outcome = step();
      if (outcome.ok()) return outcome;
      const Status waited = Wait(StatusOf(outcome));
      if (!waited.ok()) return waited;
      if (options_.stop.requested()) return outcome;
    }
  }

  // For work that makes some progress in each attempt: waits before the next one, unless a stop is
  // requested. An error: `why` itself if it is final, or because patience has run out.
  Status Wait(const Status& why);
  // Resets patience.
  void Succeeded() { backoff_.Reset(); }

 private:
  static const Status& StatusOf(const Status& status) { return status; }
  template <typename T>
  static const Status& StatusOf(const Result<T>& result) {
    return result.status();
  }

  const RetryOptions options_;
  Backoff backoff_;
};

}  // namespace shopstream
