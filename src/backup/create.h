#pragma once

#include <functional>
#include <map>
#include <string>

#include "backup/copy.h"
#include "backup/manifest.h"
#include "base/config.h"
#include "base/status.h"
#include "lake/store/object_store.h"

namespace shopstream::backup {

// What else belongs to a backup: name -> content, or why it could not be read.
using Parts = std::map<std::string, Result<std::string>>;

struct CreateOptions {
  int threads = 4;
  std::function<Parts()> parts = nullptr;                          // Null: none.
  std::function<bool()> stop = nullptr;                            // Null: never.
  std::function<void(const CopyProgress&)> on_progress = nullptr;  // May be null.
};

// Copies all tables of the lake, at versions that belong together (pins.h), and publishes them as a
// new backup. Data files come first, then the logs, the manifest last; what the place has already
// is not copied again. If it is killed, nothing is published, and the next create copies only what
// is missing. Writers, compaction and vacuum may run: if a file is deleted before it is copied, the
// tables are pinned again. The parts are read after the tables are pinned, so a schema that a row
// needs is in the registry's export.
//
// A table of another writer that cannot be backed up (pins.h), or that names a file that does not
// exist, is in parts_missing: "table <path>".
//
// Gone: the lake has no table. Corrupt: a table of the pipeline names a file that does not exist.
Result<Manifest> Create(lake::ObjectStore* lake, lake::ObjectStore* place, const LakeConfig& tables,
                        const RefineConfig& refine, const CreateOptions& options);

}  // namespace shopstream::backup
