#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "backup/copy.h"
#include "backup/manifest.h"
#include "base/config.h"
#include "base/status.h"
#include "lake/store/object_store.h"

namespace shopstream::backup {

struct RestoredTable {
  std::string path;
  int64_t version = 0;  // In the restored lake.
  int64_t backed_up_version = 0;
  int64_t files = 0;
};

struct RestoreReport {
  std::string backup;
  std::vector<RestoredTable> tables;  // In the order in which they became visible.
  std::vector<std::string> removed;   // Tables that refine made after the backup; in place only.
  int64_t files = 0;                  // Copied by this run.
  int64_t bytes = 0;
  int64_t milliseconds = 0;
};
nlohmann::ordered_json ToJson(const RestoreReport& report);

struct RestoreOptions {
  std::string backup = "";  // Empty: the newest.
  bool in_place = false;    // Replaces the tables that the lake has.
  int threads = 4;
  std::function<bool()> stop = nullptr;                            // Null: never.
  std::function<void(const CopyProgress&)> on_progress = nullptr;  // May be null.
};

// Makes the lake what it was when the backup was taken. The logs and the lists of files are checked
// against their SHA-256 first, then the data files, while they are copied. Only then does it delete
// the logs of the tables that it replaces, and each restored table becomes visible in one step,
// quarantine and Bronze before rejects, Silver and Gold. Killed at any moment, it is finished by
// the next restore of the same backup.
//
// A program that knew the lake before and was suspended meanwhile cannot change the restored
// tables:
// - Each has a new metaData.id, which a writer checks before each commit.
// - Its log begins above every version that anybody knows (VersionAbove), with a checkpoint. An
//   entry that was on its way lands below the checkpoint, where no reader looks.
// - Its data files have new names, so that a vacuum's list of the old ones does not touch them.
//
// Invalid: the lake has tables already, and `in_place` is not set; or a restore of another backup
// was begun there. Corrupt: the backup is damaged, the message names the object; no table was
// changed. Refused: someone writes to a table meanwhile.
Result<RestoreReport> Restore(lake::ObjectStore* place, lake::ObjectStore* lake,
                              const LakeConfig& tables, const RefineConfig& refine,
                              const RestoreOptions& options);

}  // namespace shopstream::backup
