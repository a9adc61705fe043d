#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "model/data_file.h"

namespace shopstream::lake {

// What one version changed.
struct VersionRecord {
  int64_t version = 0;
  int64_t timestamp_ms = 0;  // Unix epoch: from commitInfo, otherwise the object's.
  std::string operation;     // Empty if the writer gave none.
  std::string engine;
  int64_t files_added = 0;
  int64_t files_removed = 0;
  int64_t rows_added = 0;  // In added files whose rows are known.
  std::map<std::string, int64_t> txns;
};

// The newest `limit` versions whose entries still exist, newest first.
Result<std::vector<VersionRecord>> ReadHistory(ObjectStore* store, const std::string& table_path,
                                               int64_t limit);

// The live files of the snapshot that a later version than `since` added, sorted by path. Each row
// that is newer than `since` is in one of them; so are older rows that another commit moved, so
// that a caller still selects its rows. Reads one entry for each version. Nothing: an entry of
// those versions is no longer in the log; use all files of the snapshot.
Result<std::optional<std::vector<DataFile>>> FilesSince(ObjectStore* store,
                                                        const std::string& table_path,
                                                        const Snapshot& snapshot, int64_t since);

// Paths of all tables in the lake, sorted by bytes. Looks a few folders deep.
Result<std::vector<std::string>> FindTables(ObjectStore* store);

}  // namespace shopstream::lake
