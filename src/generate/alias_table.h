#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace shopstream::generate {

// Draws an index by given weights in constant time (Vose's version of Walker's alias method).
// Immutable.
class AliasTable {
 public:
  AliasTable() = default;
  // At least one weight, none negative, not all zero.
  explicit AliasTable(std::span<const double> weights);

  // `random`: 64 uniform bits.
  uint32_t Draw(uint64_t random) const {
    const auto slot = static_cast<uint32_t>(((random >> 32) * slots_.size()) >> 32);
    const Slot& chosen = slots_[slot];
    return static_cast<uint32_t>(random) < chosen.keep_below ? slot : chosen.alias;
  }
  int64_t size() const { return static_cast<int64_t>(slots_.size()); }

 private:
  struct Slot {
    uint32_t keep_below;  // Below it (of 2^32): the slot itself; otherwise its alias.
    uint32_t alias;
  };
  std::vector<Slot> slots_;
};

// Zipf's law: item k of `count` has weight 1 / k^exponent.
std::vector<double> ZipfWeights(int count, double exponent);

}  // namespace shopstream::generate
