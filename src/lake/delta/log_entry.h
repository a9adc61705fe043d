#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_value.h"
#include "base/status.h"
#include "model/data_file.h"

namespace shopstream::lake {

// The actions of a Delta log entry (Delta protocol, "Actions"), to the extent that protocol (1, 2)
// defines them.

struct Protocol {
  int min_reader_version = 1;
  int min_writer_version = 2;
  std::vector<std::string> reader_features;
  std::vector<std::string> writer_features;

  bool operator==(const Protocol&) const = default;
};

struct Metadata {
  std::string id;
  std::string name;         // Empty: none.
  std::string description;  // Empty: none.
  std::map<std::string, std::string> format_options;
  std::string schema_string;
  std::vector<std::string> partition_columns;
  std::map<std::string, std::string> configuration;
  std::optional<int64_t> created_ms;

  bool operator==(const Metadata&) const = default;
};

struct AddFile {
  DataFile file;
  // As written in the log. Other readers match removes by this text, so it is never re-encoded.
  std::string log_path;
  bool data_change = true;
  std::string tags;  // JSON text of the map, or empty.
};

struct RemoveFile {
  std::string path;      // Decoded, like DataFile::path.
  std::string log_path;  // As written in the log.
  int64_t deleted_ms = 0;
  bool data_change = true;
  PartitionValues partition_values;
  std::optional<int64_t> size_bytes;  // Absent: the writer omitted the extended file metadata.
};

struct Txn {
  std::string app_id;
  int64_t version = 0;
  std::optional<int64_t> last_updated_ms;
};

// One version's actions. Other kinds of actions are skipped, as the protocol requires.
struct LogEntry {
  std::optional<Protocol> protocol;
  std::optional<Metadata> metadata;
  std::vector<AddFile> adds;
  std::vector<RemoveFile> removes;
  std::vector<Txn> txns;
  JsonValue commit_info;  // Null if the writer gave none.
  uint64_t digest = 0;    // EntryDigest of its bytes; 0: not known.
};

// `name` is for messages. Invalid: not JSON lines, or an action lacks a required field.
// NotImplemented: an absolute path (a shallow clone) or a deletion vector.
Result<LogEntry> ParseLogEntry(std::string_view text, const std::string& name);
std::string FormatLogEntry(const LogEntry& entry);

// Distinguishes the bytes of an entry from others, within one process. Never 0.
uint64_t EntryDigest(std::string_view text);

// The commit's unique id, commitInfo.txnId; empty if there is none.
std::string CommitId(const LogEntry& entry);

// commitInfo.timestamp, by the writer's clock.
std::optional<int64_t> CommitTimestamp(const LogEntry& entry);

// numRecords of add.stats; -1 if absent.
int64_t RowsFromStatistics(std::string_view statistics);

// Sets path, log_path and rows from the others, with the checks of ParseLogEntry.
Status SetLogPath(const std::string& log_path, AddFile* add);

// "<table>/_delta_log/"
std::string LogFolder(const std::string& table_path);
// "<table>/_delta_log/00000000000000000012.json"
std::string LogEntryPath(const std::string& table_path, int64_t version);
std::string ZeroPadded(int64_t number, int width);

}  // namespace shopstream::lake
