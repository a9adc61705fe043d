#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "lake/store/object_store.h"
#include "refine/dates.h"
#include "refine/gold_file.h"
#include "refine/refine_tables.h"
#include "refine/rule_book.h"
#include "refine/verify_report.h"
#include "sql/engine.h"

namespace shopstream::refine {

// Days since 1970, both included.
struct DateRange {
  int32_t first = 0, last = 0;
};

struct VerifyOptions {
  sql::EngineOptions engine = {};
  std::optional<DateRange> dates = {};  // Nothing: all of them, and rows without a date.
  // Of Bronze, Silver, rejects and Gold together, whose dates are compared at a time; at least one
  // date. DuckDB spills what does not fit engine.memory_bytes.
  int64_t group_rows = 4'000'000;
  int64_t most_differences = 50;  // That the report lists. All are counted.
  // Gets every difference; an error stops the comparison.
  std::function<Status(const VerifyDifference&)> on_difference = {};
};

struct VerifyProgress {
  int64_t dates = 0, all_dates = 0;  // Compared, and in all.
};

// Compares Silver, rejects and the Gold tables of these files, at the last pass that all of them
// have, with what the batch SQL makes of the rows of Bronze that are refined:
// - Each row of Bronze is exactly once in Silver or in rejects, with the same values, the same
//   reasons and the same computed columns. Of copies of a purchase any one is in Silver.
// - Each Gold table is what its SQL makes of Silver and rejects.
// Reads only, beside any writers. `stop`: whether to end early; the report then says so.
//
// KeyError: there is no Bronze, or refine has not run yet. Invalid: rules or SQL do not fit the
// tables, with file and line. Gone: a file was vacuumed meanwhile, or is missing.
Result<VerifyReport> VerifyRefined(lake::ObjectStore* store, const RefinePaths& paths,
                                   std::shared_ptr<const RuleBook> book,
                                   const std::vector<GoldFile>& gold, const VerifyOptions& options,
                                   const std::function<bool()>& stop,
                                   const std::function<void(const VerifyProgress&)>& on_progress);

}  // namespace shopstream::refine
