#pragma once

#include <string>

namespace shopstream::simulate {

// What decides about rows, as its files have it: config/refine/rules.yaml and rates.csv.
struct RuleText {
  std::string rules, rates, categories;
};

inline constexpr int kRuleTexts = 6;
// Text 0 is in force at first. kStoppingText halts refining now and then; kBrokenText cannot be
// used.
inline constexpr int kStoppingText = 4, kBrokenText = 5;
const RuleText& RuleTextOf(int number);

}  // namespace shopstream::simulate
