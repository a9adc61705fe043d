#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "backup/copy.h"
#include "base/status.h"
#include "lake/store/object_store.h"

namespace shopstream::backup {

struct Damage {
  std::string object;  // In the place.
  std::string backup;  // The oldest one that needs it.
  std::string what;    // "missing", or how it differs; whether the backup cannot be repaired.
};

struct VerifyReport {
  std::vector<std::string> backups;
  std::vector<std::string> unfinished;
  int64_t files = 0;  // Those examined; one that several backups share counts once.
  int64_t bytes = 0;
  std::vector<Damage> damages;
};
nlohmann::ordered_json ToJson(const VerifyReport& report);

struct VerifyOptions {
  std::string backup = "";  // Empty: all.
  bool sizes_only = false;  // Does not read the files' content.
  int threads = 4;
  std::function<bool()> stop = nullptr;                            // Null: never.
  std::function<void(const CopyProgress&)> on_progress = nullptr;  // May be null.
};

// Reads every file that the backups need and compares its SHA-256 with that of the time when it was
// copied; and checks that each data file that a backed-up log names is among them. A damaged
// manifest is a damage. Gone: there is no such backup.
Result<VerifyReport> Verify(lake::ObjectStore* place, const VerifyOptions& options);

}  // namespace shopstream::backup
