#include "refine/other_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/join.h"
#include "model/calendar.h"
#include "refine/dates.h"

namespace shopstream::refine {
namespace {

// "2025-10-23..2025-10-24"; empty: it has no date.
std::string DatesIn(const lake::Snapshot& silver) {
  std::optional<int32_t> first, last;
  silver.VisitFiles([&](const DataFile& file) {
    const auto date = DateOf(file);
    if (!date.ok() || !*date) return;
    first = std::min(first.value_or(**date), **date);
    last = std::max(last.value_or(**date), **date);
  });
  return first ? FormatDate(*first) + ".." + FormatDate(*last) : "";
}

}  // namespace

std::string DescribeOtherRules(int64_t pass, const std::vector<std::string>& changed,
                               const lake::Snapshot& silver) {
  std::string text = fmt::format("Pass {} is the first with other rules, rates or SQL{}.", pass,
                                 changed.empty() ? "" : " (" + Joined(changed, ", ") + ")");
  const std::string dates = DatesIn(silver);
  if (dates.empty()) return text;
  return text + " Earlier passes keep their verdicts; `shopstream refine --restate " + dates +
         "` judges their rows again.";
}

}  // namespace shopstream::refine
