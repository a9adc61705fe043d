#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/store/object_store.h"

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
  int64_t bytes_added = 0;
  bool data_change = false;  // False: rows only moved, or nothing but the definition changed.
  std::map<std::string, int64_t> txns;
};

// The newest `limit` versions whose entries still exist, newest first; of those above `after` and
// below `below`.
Result<std::vector<VersionRecord>> ReadHistory(ObjectStore* store, const std::string& table_path,
                                               int64_t limit, int64_t after = -1,
                                               int64_t below = std::numeric_limits<int64_t>::max());

// Paths of all tables in the lake, sorted by bytes. Looks a few folders deep.
Result<std::vector<std::string>> FindTables(ObjectStore* store);

}  // namespace shopstream::lake
