#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/clock.h"

namespace shopstream::observe {

// How fast a partition's log grows, and how fast it is taken. Nothing: not known yet.
struct LagRates {
  std::optional<double> in;   // Offsets per second that Kafka receives.
  std::optional<double> out;  // Offsets per second that are taken.
};

// The rates of one partition over the last minute.
class RateWindow {
 public:
  static constexpr Millis kWidth{60'000};

  // `end`: Kafka's. `next`: the next offset to take. Times ascend. If one of the offsets falls, it
  // is another log, and the window begins again.
  void Add(BootClock::time_point now, int64_t end, int64_t next);
  // Forgets everything, because a moment is not known.
  void Clear() { seen_.clear(); }
  LagRates rates() const;

 private:
  struct Seen {
    BootClock::time_point at;
    int64_t end, next;
  };
  std::deque<Seen> seen_;  // What was seen in the last minute, and the one before.
};

// How many seconds it takes until nothing is left, at these rates; infinity: never. Nothing:
// unknown. A lag that ingest commits within kInStepSeconds at its rate is what waits for its cut:
// it needs that time, even if as much arrives meanwhile.
inline constexpr double kInStepSeconds = 10;
std::optional<double> SecondsToClear(int64_t lag, const LagRates& rates);

}  // namespace shopstream::observe
