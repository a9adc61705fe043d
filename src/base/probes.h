#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/metric.h"

namespace shopstream {

// What /livez and /readyz report. Neither looks at anything: the command itself says how it is.
// Thread-safe.
class Probes {
 public:
  // Longer than the longest single step of a main loop: a flush of 20 s, or requests to brokers and
  // storage that all time out.
  static constexpr std::chrono::seconds kStalledAfter{120};

  Probes();
  static Probes& OfProcess();

  // The main loop has come round, or a long step of it has moved on.
  void Beat() { beat_ = BootClock::now(); }
  // The command cannot do its work, and why; empty: it can.
  void SetUnready(std::string why);

  // Empty: the main loop runs. Otherwise for how long it has not.
  std::string WhyNotLive(BootClock::time_point now) const;
  // Empty: the command can do its work.
  std::string WhyNotReady() const;

 private:
  std::atomic<BootClock::time_point> beat_ = BootClock::now();
  mutable std::mutex mutex_;
  std::string unready_ = "starting";
  Exposed ready_;
};

}  // namespace shopstream
