#pragma once

#include <arrow/type.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/table.h"
#include "lake/delta/table_state.h"

namespace shopstream::lake {

// Turns a commit's changes into the log entry that publishes them. No I/O.

// delta.checkpointInterval of the tables that we create, and of those that have none.
inline constexpr int64_t kDefaultCheckpointInterval = 100;

// What this writer expects of the table.
struct WriterView {
  std::shared_ptr<arrow::Schema> schema;  // The columns of its files, unless the table grows.
  std::vector<std::string> partition_columns;
};

Status CheckPartitioning(const std::vector<std::string>& table,
                         const std::vector<std::string>& expected);

// Version 0 of a table.
LogEntry FirstEntry(const TableSpec& spec, std::string schema_string);

// An error: the changes are not a valid commit, or the table does not allow them.
Status CheckChanges(const TableState& base, const WriterView& writer, const Changes& changes);

// When the added files become too old to be committed: MaxCommitAge after the first was started.
// Invalid: the table's retention leaves too little time for any commit.
Result<BootClock::time_point> FilesExpire(const TableState& base, const Changes& changes);

// The entry to follow `base`; `id` makes it recognizable. Nothing: a file to replace is no longer
// live, so the output derived from it is stale. The changes have been checked.
Result<std::optional<LogEntry>> BuildEntry(const TableState& base, const WriterView& writer,
                                           const Changes& changes, const std::string& id);

}  // namespace shopstream::lake
