#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/store/object_store.h"

// What a place for backups holds. Several backups share their data files:
//
//   data/<table>/<path of the data file in its table>   see StoredDataPath
//   backups/<id>/log/<table>/_delta_log/...             a checkpoint of the pinned version
//   backups/<id>/files/<table>.txt                      its data files, see FormatFileList
//   backups/<id>/parts/<name>                           settings, topics, the registry's export
//   backups/<id>/manifest.json                          written last: without it, unfinished
//   running/<job>-<id>.json                             a running job, see turn.h
namespace shopstream::backup {

// An object of the place, or a data file of a table.
struct StoredFile {
  std::string path;
  int64_t bytes = 0;
  std::string sha256;  // 64 hexadecimal digits.

  bool operator==(const StoredFile&) const = default;
};

struct BackedUpTable {
  std::string path;  // In the lake: "bronze-events".
  std::string id;    // metaData.id
  int64_t version = 0;
  int64_t files = 0;
  int64_t bytes = 0;
  StoredFile list;               // Of its data files.
  std::vector<StoredFile> logs;  // The checkpoint of the version.
};

struct Manifest {
  std::string id;           // Sorts by time: "20261130T134012.345Z".
  int64_t started_ms = 0;   // Unix epoch; the versions are not older than this.
  int64_t finished_ms = 0;  // Unix epoch
  std::string source;       // The lake, as its user wrote it.
  std::string program;      // Version of shopstream.
  // In the order in which they were pinned: Gold, Silver, rejects, Bronze, then all others.
  std::vector<BackedUpTable> tables;
  std::map<std::string, StoredFile> parts;           // By name: "registry.json".
  std::map<std::string, std::string> parts_missing;  // Why a part could not be read.
  // Tables of other writers that are left out because a file of theirs is missing; each is in
  // parts_missing, too.
  std::vector<std::string> damaged;
  int64_t copied_files = 0;  // Those that the place did not have before.
  int64_t copied_bytes = 0;

  int64_t files() const;
  int64_t bytes() const;
};

nlohmann::ordered_json ToJson(const Manifest& manifest);
// Corrupt: it is not a manifest; `name` is for the message.
Result<Manifest> ParseManifest(std::string_view text, const std::string& name);

// One line per file: sha256, bytes, path. Invalid: a path contains a line break.
Result<std::string> FormatFileList(const std::vector<StoredFile>& files);
Result<std::vector<StoredFile>> ParseFileList(std::string_view text, const std::string& name);

// A restore gives each data file a new name, "restored-<8 digits>-<name>", so that nothing
// that knew the lake before can name it. Backups store the file under the name without it.
std::string RestoredName(const std::string& restore_id, const std::string& path);
std::string StoredDataPath(const std::string& table, const std::string& path);

inline constexpr char kBackupsFolder[] = "backups/";
inline constexpr char kDataFolder[] = "data/";
std::string BackupFolder(const std::string& id);
std::string ManifestPath(const std::string& id);
// A table of this path in the place's store has the log of the backed-up table.
std::string LogTablePath(const std::string& id, const std::string& table);

struct UnreadableBackup {
  std::string id;
  Status why;  // Names the manifest.
};
struct Backups {
  std::vector<Manifest> finished;            // Oldest first.
  std::vector<std::string> unfinished;       // Ids.
  std::vector<UnreadableBackup> unreadable;  // Their manifest is damaged, or of a newer version.
};
// Warns of those that are unreadable.
Result<Backups> ReadBackups(lake::ObjectStore* place);
// For a place without a finished backup.
Status NoBackup(const lake::ObjectStore& place);
// The backup with this id; empty: the newest. Reads no other manifest than the one with the id.
// Gone: there is none; the message names those that exist. Corrupt: its manifest is damaged.
Result<Manifest> FindBackup(lake::ObjectStore* place, const std::string& id);

// The data files of one table. Corrupt: the list is missing or is not the one that was written.
Result<std::vector<StoredFile>> ReadFileList(lake::ObjectStore* place, const BackedUpTable& table);

}  // namespace shopstream::backup
