#include "generate/alias_table.h"

#include <cmath>
#include <numeric>

namespace shopstream::generate {

AliasTable::AliasTable(std::span<const double> weights) : slots_(weights.size()) {
  const double mean = std::accumulate(weights.begin(), weights.end(), 0.0) / weights.size();
  std::vector<double> level(weights.size());  // 1.0: the slot's fair share.
  std::vector<uint32_t> small, large;
  for (uint32_t i = 0; i < weights.size(); ++i) {
    level[i] = weights[i] / mean;
    (level[i] < 1.0 ? small : large).push_back(i);
  }
  while (!small.empty() && !large.empty()) {
    const uint32_t poor = small.back(), rich = large.back();
    small.pop_back();
    slots_[poor] = {static_cast<uint32_t>(level[poor] * 0x1.0p32), rich};
    level[rich] -= 1.0 - level[poor];
    if (level[rich] < 1.0) {
      large.pop_back();
      small.push_back(rich);
    }
  }
  // The remaining slots are full except for rounding.
  for (const uint32_t i : small) slots_[i] = {0, i};
  for (const uint32_t i : large) slots_[i] = {0, i};
}

std::vector<double> ZipfWeights(int count, double exponent) {
  std::vector<double> weights(count);
  for (int k = 0; k < count; ++k) weights[k] = std::pow(k + 1, -exponent);
  return weights;
}

}  // namespace shopstream::generate
