#pragma once

#include <string>

#include "simulate/history.h"
#include "simulate/refine_mistakes.h"
#include "simulate/refine_plan.h"

namespace shopstream::simulate {

struct RefineHistoryOptions {
  RefineMistake mistake = RefineMistake::kNone;
  bool keep_text = false;
  // Where the lake is written in the end, with what decided about its rows, so that another program
  // can check it; empty: nowhere.
  std::string export_folder = {};
};

// Runs the plan, then lets everything be refined without faults, and checks the resulting lake.
HistoryResult RunRefineHistory(const RefinePlan& plan, const RefineHistoryOptions& options);

// A minimal plan that still fails.
RefinePlan Shrink(RefinePlan plan, RefineMistake mistake);

}  // namespace shopstream::simulate
