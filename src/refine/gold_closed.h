#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "model/data_file.h"
#include "refine/closed_dates.h"
#include "refine/gold_file.h"

namespace shopstream::refine {

// What a Gold table has of closed dates, which cannot be computed again: it is kept.
struct ClosedGold {
  std::vector<DataFile> files;  // Live, all of them.
  // Those of them that were written again, and the new ones, durable but in no version yet.
  std::vector<DataFile> replaced, written;
  std::optional<BootClock::time_point> written_since;  // With `written`.
  // How many rows are left out because the condition of an erase holds for them. Nothing: there is
  // no condition, or it cannot be decided, as it reads other columns than the key.
  std::optional<int64_t> erased;

  // Whether the table still has the same files of closed dates.
  Result<bool> AreLiveIn(const lake::Snapshot& gold, const ClosedDates& closed) const;
};

struct ClosedGoldOptions {
  // Those that every row is to have: a column that the table has too keeps its values, others are
  // null. Null: the table's, and only files from which rows are erased are written again.
  std::shared_ptr<arrow::Schema> columns = nullptr;
  std::string erase = {};  // SQL over the columns of Bronze; "": nothing is erased.
};

// Invalid: values do not fit a column's new type; the message names it. One date is in memory at a
// time.
Result<ClosedGold> KeepClosedGold(const lake::Table& gold, const GoldFile& file,
                                  const ClosedDates& closed, const ClosedGoldOptions& options);

}  // namespace shopstream::refine
