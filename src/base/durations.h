#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace shopstream {

// Counts durations in buckets no wider than 1/32 of their value: quantiles within 3 % in a few KiB,
// however many are added. The unit is the microsecond.
class Durations {
 public:
  using Micros = std::chrono::microseconds;

  void Add(Micros duration, int64_t times = 1);
  void Add(const Durations& others);
  // The smallest value that `share` (0 to 1) of all values do not exceed; 0 if there are none.
  Micros Quantile(double share) const;
  // How many are no longer than `bound`, which counts as the end of the nearest bucket.
  int64_t CountUpTo(Micros bound) const;
  int64_t count() const { return count_; }
  double sum_seconds() const { return sum_ / 1e6; }

 private:
  static constexpr int kSubBuckets = 32;
  static constexpr int kBuckets = kSubBuckets * 40;  // Up to half a year.
  std::array<int64_t, kBuckets> counts_{};
  int64_t count_ = 0;
  double sum_ = 0;  // Longest durations times many would not fit an integer.
};

}  // namespace shopstream
