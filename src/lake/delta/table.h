#pragma once

#include <arrow/type.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/json_value.h"
#include "base/status.h"
#include "lake/store/object_store.h"
#include "model/data_file.h"

namespace shopstream::lake {

// How a table is created. Partition columns are part of the schema, as its last fields.
struct TableSpec {
  std::string path;  // Relative to the lake's root: "bronze-events".
  std::shared_ptr<arrow::Schema> schema;
  std::vector<std::string> partition_columns;
  std::map<std::string, std::string> properties;  // In addition to the lake's defaults.
};

// One version of a table. Immutable; shared between threads.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual int64_t version() const = 0;
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  virtual const std::vector<std::string>& partition_columns() const = 0;
  virtual const std::map<std::string, std::string>& properties() const = 0;
  // The version last recorded for the application id (`txn` action).
  virtual std::optional<int64_t> Txn(const std::string& app_id) const = 0;
  virtual const std::map<std::string, int64_t>& Txns() const = 0;
  // Live files, sorted by path.
  virtual std::vector<DataFile> Files() const = 0;
  // Visits live files one at a time, unsorted: for tables with too many files for memory.
  virtual void VisitFiles(const std::function<void(const DataFile&)>& visit) const = 0;
  virtual int64_t file_count() const = 0;
  // Visits each file that readers of older versions may still use: removed within
  // delta.deletedFileRetentionDuration, or slightly longer ago. `removed_ms`: Unix epoch, by the
  // clock of the writer that removed it.
  virtual void VisitRemoved(
      const std::function<void(const std::string& path, int64_t removed_ms)>& visit) const = 0;
};

// Null: the table has no such property.
inline const std::string* FindProperty(const Snapshot& snapshot, const std::string& name) {
  const auto found = snapshot.properties().find(name);
  return found == snapshot.properties().end() ? nullptr : &found->second;
}

enum class CommitOutcome {
  kCommitted,
  // It is not visible and never will be: the writer refused the version that it would build on, its
  // files are too old, a file to remove is no longer live, or other writers (or slow requests) used
  // up the time until the deadline.
  kConflict,
  kUnknown,  // The store did not answer until the deadline; it may have committed.
};

// What a commit changes in the table's metaData.
struct TableGrowth {
  // Every column of the commit's files, including partition columns. Existing ones must agree;
  // missing ones are added, nullable; see MergeColumns.
  std::shared_ptr<arrow::Schema> columns;
  std::map<std::string, std::string> properties;  // To be set.
  // `columns` are the table's from now on, whatever it had. Only for a commit that removes every
  // live file.
  bool replaces = false;
};

// The changes that one commit makes to a table.
struct Changes {
  std::string operation = "WRITE";  // commitInfo.operation
  std::vector<DataFile> adds;
  // When the first of `adds` began to be written; required if there are any. A vacuum may delete
  // files that no version names yet, so Commit refuses them once they are older than MaxCommitAge
  // (retention.h), which follows from the table's own retention.
  std::optional<BootClock::time_point> written_since;
  std::vector<DataFile> removes;
  // Live files that get these statistics and otherwise stay unchanged. As with removes, the commit
  // conflicts if one of them is no longer live.
  std::vector<DataFile> restates;
  std::map<std::string, int64_t> txns;  // app id -> version
  JsonValue info;                       // An object, merged into commitInfo; null: nothing.
  bool data_change = true;
  // Nothing: the files have the columns that the table had when opened, and the table must still
  // have them.
  std::optional<TableGrowth> growth;
};

// Why a writer does not commit on top of a version.
struct Refusal {
  std::string why;                         // For messages; the version is added.
  std::optional<int> code = std::nullopt;  // Set by the writer; returned in CommitResult.
};
using ChangesOrRefusal = std::variant<Changes, Refusal>;

// Decides what a commit does on top of a version, or that it must not be made there. No I/O. Called
// with the version that each attempt builds on, so that another writer's change is merged, never
// overwritten. Commit returns its error.
using Prepare = std::function<Result<ChangesOrRefusal>(const Snapshot&)>;
// For a writer that depends only on the files it removes.
Prepare Unconditionally(Changes changes);
// For one whose files were made for these columns: refuses once the table has others.
Prepare ForColumns(std::shared_ptr<arrow::Schema> columns, Changes changes);

struct CommitResult {
  CommitOutcome outcome = CommitOutcome::kUnknown;
  int64_t version = -1;  // The committed version.
  int attempts = 0;
  std::optional<Refusal> refusal;  // With kConflict: the writer's, if that is the cause.
  bool too_old = false;            // With kConflict: because of Changes::written_since.
  std::string detail;              // Why it was not committed, for messages.
};

// A Delta table. Thread-safe. Keeps the newest snapshot that it has seen.
class Table {
 public:
  virtual ~Table() = default;
  // Status::KeyError if the table does not exist.
  static Result<std::unique_ptr<Table>> Open(ObjectStore* store, const std::string& path);
  // Creates the table if absent.
  static Status Create(ObjectStore* store, const TableSpec& spec);
  // Creates it if absent; otherwise checks that columns and partitioning agree.
  static Result<std::unique_ptr<Table>> OpenOrCreate(ObjectStore* store, const TableSpec& spec);

  virtual const std::string& path() const = 0;
  virtual ObjectStore* store() const = 0;
  virtual std::shared_ptr<const Snapshot> snapshot() const = 0;
  // Reads new commits and returns the newest snapshot. IOError: the store does not answer; the
  // snapshot is kept. Invalid, NotImplemented: the log is damaged or not supported.
  virtual Result<std::shared_ptr<const Snapshot>> Refresh() = 0;
  // Retries with back-off on versions taken by others and on lost replies, until `deadline` (less
  // than an hour away). An error means that the table does not allow the commit (an unknown
  // feature, a missing column, different partitioning), that the changes are not a valid commit, or
  // that `prepare` failed; nothing was written. Every delta.checkpointInterval versions a
  // checkpoint is written on the table's own thread, for which the destructor waits; after it, at
  // most once an hour, the log is cleaned up.
  virtual Result<CommitResult> Commit(const Prepare& prepare, BootClock::time_point deadline) = 0;
};

}  // namespace shopstream::lake
