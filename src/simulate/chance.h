#pragma once

#include <cstdint>

namespace shopstream::simulate {

// A stream of random numbers that depends only on its seed (splitmix64), on every machine.
class Chance {
 public:
  explicit Chance(uint64_t seed) : state_(seed) {}

  uint64_t Bits() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  // From 0 to `bound` - 1; `bound` is at least 1.
  int64_t Below(int64_t bound) {
    return static_cast<int64_t>(Bits() % static_cast<uint64_t>(bound));
  }
  // From `low` to `high`, both included.
  int64_t Between(int64_t low, int64_t high) { return low + Below(high - low + 1); }
  bool Once(double probability) {
    return static_cast<double>(Bits() >> 11) * 0x1p-53 < probability;
  }

 private:
  uint64_t state_;
};

}  // namespace shopstream::simulate
