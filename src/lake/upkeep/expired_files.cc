#include "lake/upkeep/expired_files.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "lake/delta/retention.h"
#include "lake/upkeep/data_listing.h"

namespace shopstream::lake {

Result<ExpiredFiles> DeleteExpired(Table* table, int64_t since_ms,
                                   const std::function<bool()>& stop) {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, table->Refresh());
  const int64_t retention_ms = TombstoneRetentionMs(snapshot->properties());
  ExpiredFiles expired{.files = 0, .before_ms = WallClockMillis() - retention_ms};
  std::vector<std::pair<std::string, int64_t>> removed;
  snapshot->VisitRemoved([&](const std::string& path, int64_t removed_ms) {
    const bool expires = removed_ms >= since_ms && removed_ms < expired.before_ms;
    if (expires && MayBeDataFile(path)) removed.emplace_back(path, removed_ms);
  });
  if (removed.empty()) return expired;
  // Removal times are by the remover's own clock, so use the earlier of the two clocks.
  ARROW_ASSIGN_OR_RAISE(const int64_t server_ms, table->store()->Now());
  expired.before_ms = std::min(expired.before_ms, server_ms - retention_ms);
  for (const auto& [path, removed_ms] : removed) {
    if (removed_ms >= expired.before_ms) continue;
    if (stop()) {
      expired.before_ms = since_ms;
      break;
    }
    ARROW_RETURN_NOT_OK(table->store()->Delete(table->path() + "/" + path));
    ++expired.files;
  }
  return expired;
}

}  // namespace shopstream::lake
