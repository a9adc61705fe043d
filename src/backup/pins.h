#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"

namespace shopstream::backup {

struct PinnedTable {
  std::string path;
  std::shared_ptr<const lake::Snapshot> snapshot;
};

struct Pins {
  std::vector<PinnedTable> tables;
  std::map<std::string, std::string>
      left_out;  // Path -> why a table of another writer is not here.
};

// Which versions of Gold, Silver and rejects.
enum class PinFrom {
  kCompletePass,  // The last pass that all of them have, if there is one.
  kNewest,        // A vacuum may have deleted files of that pass.
};

// All tables of the lake, each at a version, so that together they are what a crash could have
// left: no table knows a row that an earlier one of the chain lacks.
//
// The order is Gold, Silver, rejects, Bronze, then quarantine, side tables and all others. Gold,
// Silver and rejects are at the same pass, if all have one. Bronze is read after them, so it has
// every row that they decided; and the quarantine after Bronze, because ingest commits quarantined
// records first.
//
// A table that is not the pipeline's is left out if this program cannot read it, or could not write
// its features into a checkpoint. One of the pipeline's is an error that names it.
//
// Gone: the lake has no table.
Result<Pins> PinTables(lake::ObjectStore* store, const LakeConfig& lake, const RefineConfig& refine,
                       PinFrom from);

// Whether the pipeline fills the table.
bool IsOfPipeline(const std::string& path, const LakeConfig& lake, const RefineConfig& refine);

// The tables whose log has at least one object: on disk, the folder of a deleted log stays.
Result<std::vector<std::string>> FindTablesWithLogs(lake::ObjectStore* store);

}  // namespace shopstream::backup
