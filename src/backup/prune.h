#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "backup/manifest.h"
#include "base/status.h"
#include "lake/store/object_store.h"

namespace shopstream::backup {

// Which backups may go. With both, only those that both allow. The newest always stays.
struct PruneRule {
  std::optional<int64_t> keep = std::nullopt;       // The newest that stay.
  std::optional<int64_t> before_ms = std::nullopt;  // Unix epoch: those finished before.
};

// The ids of those that go, oldest first. Pure. `finished`: oldest first.
std::vector<std::string> ChooseToPrune(const std::vector<Manifest>& finished,
                                       const PruneRule& rule);

struct PruneReport {
  bool dry_run = false;
  std::vector<std::string> removed;     // Backups, oldest first.
  std::vector<std::string> unfinished;  // Left by creates that were killed; removed as well.
  std::vector<std::string> kept;
  int64_t files = 0;  // Data files that no kept backup needs.
  int64_t bytes = 0;
};
nlohmann::ordered_json ToJson(const PruneReport& report);

struct PruneOptions {
  PruneRule rule = {};
  bool dry_run = false;
  std::function<bool()> stop = nullptr;  // Null: never.
  std::function<void(int64_t done, int64_t of)> on_progress =
      nullptr;  // Objects deleted; may be null.
};

// Removes backups, manifests first, then every file that no other backup needs. Killed at any
// moment, it leaves whole backups, and the next one removes the rest. Refused: another job is at
// work in the place. Gone: the place has no finished backup. Corrupt: a backup that stays, or any
// manifest, is damaged, so what it needs is unknown. Nothing was removed then.
Result<PruneReport> Prune(lake::ObjectStore* place, const PruneOptions& options);

}  // namespace shopstream::backup
