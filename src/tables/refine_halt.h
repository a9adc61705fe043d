#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/status.h"
#include "lake/delta/table.h"

namespace shopstream::tables {

// Why refine does not begin a pass: a rule rejects more of its rows than is plausible. Nothing of
// the pass is committed. Rejects store it in a property until the pass is committed.
struct RefineHalt {
  int64_t pass = 0;              // The pass that does not begin.
  std::string rule;              // The rule; empty: an operator has accepted all that was found.
  int64_t found = 0;             // Rows that the rule rejects
  int64_t rows = 0;              // of these.
  int64_t at_ms = 0;             // When, since 1970.
  std::string fingerprint = {};  // Of the rules that found it; others judge the pass anew.
  std::set<std::string> accepted =
      {};  // Rules that do not halt this pass, because an operator said so.

  bool halted() const { return !rule.empty(); }
  bool operator==(const RefineHalt&) const = default;
};

// That of this pass; nothing: there is none, or it was for another pass. Invalid: the property is
// damaged.
Result<std::optional<RefineHalt>> ReadRefineHalt(const lake::Snapshot& rejects, int64_t pass);

// The property that records it; nothing removes it.
std::map<std::string, std::string> RefineHaltProperty(const std::optional<RefineHalt>& halt);

}  // namespace shopstream::tables
