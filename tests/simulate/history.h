#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "simulate/mistakes.h"
#include "simulate/plan.h"

namespace shopstream::simulate {

struct HistoryResult {
  std::vector<std::string> failures;  // Empty: every guarantee held.
  uint64_t fingerprint = 0;           // Of all events, in order.
  std::map<std::string, int64_t> counts;
  std::string text;  // The events, if requested.
  int64_t records = 0;
};

// Runs the plan, then lets everything be read without faults, and checks the resulting lake. The
// plan decides everything: run twice, it gives the same result.
HistoryResult RunHistory(const Plan& plan, Mistake mistake, bool keep_text = false);

// A minimal plan that still fails: no action and no kind of fault can be left out.
Plan Shrink(Plan plan, Mistake mistake);

}  // namespace shopstream::simulate
