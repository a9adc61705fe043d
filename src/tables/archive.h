#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "model/data_file.h"

// The archive of a table: a table of the same path in another place, to which runs of `table
// archive` move old rows. A run copies files, commits them to the archive, and then removes them
// from the table, so that between the two commits both have the rows.
//
//   shopstream.archive            property of the table: {"place": ..., "id": ..., "tableId": ...}
//   shopstream.archiveOf          property of the archive: the same id
//   shopstream-archive/reserved   txn of the table: number of the newest run
//   shopstream-archive            txn of both: the last run whose rows the archive has, and the
//                                 last run whose rows the table has released
//
// A run reserves its number in the table before anything else. The archive takes only a higher
// number than it has; the table releases only the newest number. So the archive's version that
// counts is the newest one whose number the table has released.
namespace shopstream::tables {

struct ArchiveLink {
  std::string place;  // As lake.uri names a lake.
  std::string id;
  // metaData.id of the table when it reserved a run last; another one: it was restored since, maybe
  // elsewhere. Empty: not recorded.
  std::string table_id = {};
  int64_t reserved = 0;
  int64_t released = 0;  // 0: no row is in the archive alone.
};

// Nothing: the table has no archive. Invalid: the property is damaged.
Result<std::optional<ArchiveLink>> ReadArchiveLink(const lake::Snapshot& table);
// The property that records the place and the ids.
std::map<std::string, std::string> ArchiveProperty(const ArchiveLink& link);
// The property of the archive.
std::map<std::string, std::string> ArchiveOfProperty(const std::string& id);
// Invalid: the table at `path` in the place is not the archive of this link.
Status CheckIsArchive(const lake::Snapshot& archive, const std::string& path,
                      const ArchiveLink& link);

// The txns that record a run.
std::map<std::string, int64_t> ReservedTxn(int64_t run);
std::map<std::string, int64_t> ArchivedTxn(int64_t run);
// The last run whose rows the archive has; 0: none.
int64_t LastArchived(const lake::Snapshot& archive);

// The versions of the archive with rows that the table has not released, oldest first.
Result<std::vector<int64_t>> UnreleasedVersions(lake::ObjectStore* place, const std::string& path,
                                                const ArchiveLink& link);
// The archive before one of these versions. Gone: its log begins there, because it was restored.
Result<std::shared_ptr<const lake::Snapshot>> SnapshotBefore(lake::ObjectStore* place,
                                                             const std::string& path,
                                                             const ArchiveLink& link,
                                                             int64_t version);

// What the archive has in addition to a version of the table with this link. Null: nothing. Gone:
// the archive, or rows that it had, are missing.
Result<std::shared_ptr<const lake::Snapshot>> ReadReleased(lake::ObjectStore* place,
                                                           const std::string& path,
                                                           const ArchiveLink& link);

// A run copies a file to a name that no other run uses, "archived-<8 digits>-<name>", so that a
// vacuum that listed what a stopped run left cannot delete a copy of a later run.
std::string NewCopyId();
std::string CopyName(const std::string& copy_id, const std::string& path);
// The name that the file had in the table.
std::string NameInTable(const std::string& path);

// Identifies a set of files by their paths.
std::string DigestOf(const std::vector<DataFile>& files);

}  // namespace shopstream::tables
