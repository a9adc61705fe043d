#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/upkeep/row_removal.h"
#include "tables/erased_offsets.h"

namespace shopstream::tables {

// Which rows an erase removes from quarantine. The erase knows the rows of tables, and ingest
// decodes quarantined records. Each function gives one answer per row.
struct QuarantineChoice {
  int64_t task = 0;  // Its number, for the commit's info.
  // By the record's key.
  std::function<Result<std::vector<bool>>(const std::vector<std::optional<std::string>>& keys)>
      by_key;
  // By the row that it would be now, in the table of this path.
  std::function<Result<std::vector<bool>>(const std::string& table, const arrow::RecordBatch& rows)>
      by_row;
  OffsetsByTopic gone;          // Rows that a replay added to other tables, from which they go.
  lake::RemovalOptions search;  // How the search is stopped and watched.
};

struct QuarantineErased {
  int64_t rows = 0;
  int64_t not_examined = 0;  // Rows that stay, and that nobody can decode.
  // Of records that were erased from quarantine, by this erase or earlier. A replay that has read
  // them already must not add them any more.
  std::set<std::string> topic_ids;
};

// Removes them from quarantine, in one commit. Unavailable: nothing was done; repeat it. Cancelled:
// `search.stop` returned true, likewise.
using EraseQuarantine = std::function<Result<QuarantineErased>(const QuarantineChoice&)>;

}  // namespace shopstream::tables
