#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "refine/rules.h"

// Whether a pass is committed, or so much of it is rejected that a person should look first.
namespace shopstream::refine {

// What became of the rows of a pass.
struct Tally {
  int64_t rows = 0;
  int64_t silver = 0;
  std::map<std::string, int64_t> by_reason = {};  // A row may have several.
  std::map<std::string, int64_t> warned = {};     // By rule.
};

struct StopDecision {
  enum class Kind {
    kGoOn,
    kMoreRows,  // The share is too large, but of too few rows.
    kHalt,
  };
  Kind kind = Kind::kGoOn;
  std::string rule = {};  // Unless kGoOn: the rule, and the rows that it found.
  int64_t found = 0;
};

// `accepted`: rules that do not halt this pass.
StopDecision DecideStop(const Tally& tally, const Rules& rules,
                        const std::set<std::string>& accepted);

}  // namespace shopstream::refine
