#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "simulate/mistakes.h"
#include "simulate/plan.h"

namespace shopstream::simulate {

struct HistoryResult {
  std::vector<std::string> failures;  // None: all that is promised held.
  uint64_t fingerprint = 0;           // Of all that happened, in order.
  std::map<std::string, int64_t> counts;
  std::string text;  // What happened, where it was asked for.
  int64_t records = 0;
};

// Lets the plan happen, then lets everything be read in peace, and checks what the lake has become.
// The plan decides all: run twice, it gives the same result.
HistoryResult RunHistory(const Plan& plan, Mistake mistake, bool keep_text = false);

// A plan that fails too and from which nothing more can be left out: deeds, kinds of faults.
Plan Shrink(Plan plan, Mistake mistake);

}  // namespace shopstream::simulate
