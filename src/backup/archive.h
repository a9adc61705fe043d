#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "backup/copy.h"
#include "base/clock.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "model/data_file.h"
#include "tables/archive.h"

namespace shopstream::backup {

struct ArchiveOptions {
  std::string place;  // As lake.uri names a lake; recorded in the table.
  int threads = 4;    // That copy.
  // The table was restored from a backup, or is a copy: its archive may have rows of runs that it
  // does not know. They are removed from the archive, if the table has them as well.
  bool after_restore = false;
  Millis commit_deadline{10'000};
  std::function<bool()> stop;                            // Null: never.
  std::function<void(const CopyProgress&)> on_progress;  // From the calling thread; may be null.
};

// Invalid: as Archive refuses it by what the table knows of its archive.
Status CheckMayArchive(const lake::Snapshot& table, const std::string& path,
                       const ArchiveOptions& options);

struct ArchiveHooks {
  // The files to move, all live in the table's snapshot.
  std::function<Result<std::vector<DataFile>>(const lake::Table& table)> find;
  // How many rows of these files of the archive the table does not have.
  std::function<Result<int64_t>(const lake::Snapshot& archive, const std::vector<DataFile>& files)>
      count_missing;
  // Removes the files with this digest (tables::DigestOf) from the table in one commit with the
  // txn tables::ArchivedTxn(run), if they are still what is to be moved and `run` is still the
  // newest reserved one. If not, it changes nothing.
  std::function<Status(int64_t run, const std::string& digest)> release;
};

struct ArchiveResult {
  int64_t run = 0;  // 0: there was nothing to move.
  int64_t files = 0, bytes = 0;
  int64_t copied_files = 0, copied_bytes = 0;  // Those that the archive did not have yet.
  int64_t attempts = 0;
};

// Moves files of a table to its archive, see tables/archive.h. It may be killed at any moment, and
// two may run at the same time; the next call finishes the work. A reader that follows
// tables::ReadReleased sees each row exactly once at every moment.
//
// Unavailable: storage does not answer, another run was faster, or the table kept changing.
// Invalid: the table has its archive, with rows, in another place, the place has another table of
// this path, `after_restore` is needed, or the archive has rows that the table has not released and
// that it does not have. Cancelled: stopped.
Result<ArchiveResult> Archive(lake::Table* table, lake::ObjectStore* place,
                              const ArchiveOptions& options, const ArchiveHooks& hooks);

}  // namespace shopstream::backup
