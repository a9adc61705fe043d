#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "model/data_file.h"

namespace shopstream::lake {

struct RemovedFile {
  std::string path;
  PartitionValues partition_values;  // Empty: unknown, its writer left them out.
};

// What happened to a table's rows between two versions, for a reader who knows the older one.
struct TableChanges {
  // Live files of the newer version, sorted by path. Each row that is new since the older version
  // is in one of them. So are older rows, if a commit moved both into one file; the reader selects
  // by the rows' own columns. A compaction of older rows alone adds nothing here.
  std::vector<DataFile> added;
  // Files whose rows a commit took away or replaced (dataChange), in the order of versions. A
  // compaction moves rows and takes none away.
  std::vector<RemovedFile> removed;
};

// From version `since` to the snapshot's. Reads one entry for each version. Nothing: an entry of
// these versions is no longer in the log or cannot be read, `since` is not a version of this table
// yet, or there are more than 1,000 versions: reading all files of the snapshot is then cheaper.
Result<std::optional<TableChanges>> ChangesSince(ObjectStore* store, const std::string& table_path,
                                                 const Snapshot& snapshot, int64_t since);

}  // namespace shopstream::lake
