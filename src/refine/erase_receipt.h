#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/store/object_store.h"
#include "lake/upkeep/row_removal.h"
#include "refine/refine_tables.h"

namespace shopstream::refine {

// What an erase did to one table.
struct ErasedTable {
  std::string table;
  std::optional<int64_t> version;  // Which did it. Nothing: it has no commit of this task.
  std::optional<int64_t> rows;     // Erased; nothing: dates of a Gold table were recomputed.
  int64_t files = 0;               // Replaced; they stay until a vacuum.
  int64_t at_ms = 0;               // Since 1970, by the clock of the program that committed it.
  // From these times on a vacuum deletes the replaced files, and the clean-up of the log the
  // entries that show their least and greatest values, or the predicate.
  int64_t vacuum_after_ms = 0, log_gone_after_ms = 0;
  // In Gold: rows of dates before this one, in days since 1970, could not be computed again, as
  // Silver no longer has the dates. Nothing: the table has no such rows.
  std::optional<int32_t> closed_before;
  // How many of these rows were removed anyway, because their key decides the condition; the others
  // are unchanged. Nothing: the condition reads other columns, or the task was no erase.
  std::optional<int64_t> closed_erased;
};

// What an erase did, as the logs of the tables show it.
struct EraseReceipt {
  int64_t task = 0;
  std::vector<ErasedTable> tables;  // Bronze and side tables, quarantine, rejects, Silver, Gold.
  int64_t bronze_version = -1;      // Everything that Bronze had at this version was looked at.
  int64_t not_examined = 0;         // Rows of quarantine that nobody can decode.
  int64_t log_gone_after_ms = 0;    // From all tables.
};
nlohmann::ordered_json ToJson(const EraseReceipt& receipt);

// KeyError: the logs do not have the task, or no longer.
Result<EraseReceipt> ReadEraseReceipt(lake::ObjectStore* store, const RefinePaths& paths,
                                      const std::string& quarantine, int64_t task);

// How many rows of a table an erase would remove now.
struct RowsToErase {
  std::string table;
  int64_t rows = 0;
};
// Counts them in Bronze, rejects and Silver; nothing is changed. Invalid: the predicate does not
// fit Bronze. Cancelled: `search.stop` returned true.
Result<std::vector<RowsToErase>> CountRowsToErase(lake::ObjectStore* store,
                                                  const RefinePaths& paths,
                                                  const std::string& predicate,
                                                  const lake::RemovalOptions& search = {});

}  // namespace shopstream::refine
