#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/store/object_store.h"

namespace shopstream::lake {

struct LogCheck {
  int64_t entries = 0;
  int64_t checkpoints = 0;
  int64_t checkpoints_compared = 0;
};

// The log part of VerifyTable. `find` receives each difference, with a path relative to the lake's
// root. `all_checkpoints`: compare every checkpoint with the replay that leads to it, not only the
// newest, and check every entry, not only those that lead to the newest version.
// `partition_columns`: those of the newest version; nothing if unknown.
Result<LogCheck> CheckLog(
    ObjectStore* store, const std::string& table_path, bool all_checkpoints,
    const std::optional<std::vector<std::string>>& partition_columns,
    const std::function<void(const std::string& path, const std::string& reason)>& find,
    const std::function<void(int64_t done, int64_t total)>& progress,
    const std::function<bool()>& stop);

}  // namespace shopstream::lake
