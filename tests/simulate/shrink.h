#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "simulate/store.h"

namespace shopstream::simulate {

// A plan of which no action and no kind of the store's faults can be left out, or it no longer
// fails.
template <typename AnyPlan, typename Fails>
AnyPlan ShrinkPlan(AnyPlan plan, const Fails& fails) {
  for (double StoreFaults::*rate :
       {&StoreFaults::fails_before, &StoreFaults::loses_reply, &StoreFaults::tears,
        &StoreFaults::lands_late, &StoreFaults::is_slow, &StoreFaults::crashes}) {
    AnyPlan smaller = plan;
    smaller.store.*rate = 0;
    if (plan.store.*rate > 0 && fails(smaller)) plan = std::move(smaller);
  }
  // Halves first, then quarters, down to single actions.
  for (size_t length = plan.actions.size() / 2; length > 0; length /= 2) {
    for (size_t begin = 0; begin < plan.actions.size();) {
      AnyPlan smaller = plan;
      const size_t end = std::min(begin + length, plan.actions.size());
      smaller.actions.erase(smaller.actions.begin() + static_cast<int64_t>(begin),
                            smaller.actions.begin() + static_cast<int64_t>(end));
      if (fails(smaller)) {
        plan = std::move(smaller);
      } else {
        begin += length;
      }
    }
  }
  return plan;
}

}  // namespace shopstream::simulate
