#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "lineage/stored_row.h"

namespace shopstream::lineage {

// The commit that brought something into a table.
struct AddingCommit {
  int64_t version = 0;
  int64_t time_ms = 0;    // By the writer's clock.
  std::string operation;  // Empty: the writer gave none.
  std::string engine;
  int64_t files_added = 0, rows_added = 0;
};

struct CommitSearch {
  std::optional<AddingCommit> commit;
  std::string unknown;  // Why there is none.
};

// `stop` is asked before each entry that is read; true: the search fails as Cancelled.
//
// The commit that named this live file first. Its time narrows the search to a few entries of the
// log.
Result<CommitSearch> FindCommitOfFile(lake::ObjectStore* store, const std::string& table,
                                      const std::string& path,
                                      const std::function<bool()>& stop = NeverStops);

struct RowCommit {
  CommitSearch search;
  bool was_replayed = false;  // By `quarantine replay`.
  // The file that has the row now is not of this commit: a compaction or a repair has moved it.
  std::optional<bool> moved;
};

// The commit that brought the record's row into Bronze, or a table like it, which may have moved
// since. `row` is the row now.
Result<RowCommit> FindCommitOfRecord(lake::ObjectStore* store, const lake::Snapshot& snapshot,
                                     const RecordKey& key, const StoredRow& row,
                                     const std::function<bool()>& stop = NeverStops);

}  // namespace shopstream::lineage
