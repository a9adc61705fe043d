#pragma once

#include <arrow/type.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json_value.h"
#include "base/status.h"
#include "lake/object_store.h"
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
  // The same one at a time, unsorted: for tables with too many files for memory.
  virtual void VisitFiles(const std::function<void(const DataFile&)>& visit) const = 0;
  virtual int64_t file_count() const = 0;
  // Visits each file that readers of older versions may still use: removed within
  // delta.deletedFileRetentionDuration, or slightly longer ago. `removed_ms`: Unix epoch, by the
  // clock of the writer that removed it.
  virtual void VisitRemoved(
      const std::function<void(const std::string& path, int64_t removed_ms)>& visit) const = 0;
};

enum class CommitOutcome {
  kCommitted,
  // It is not visible and never will be: refused by the precondition, a removed file is gone, or
  // other writers (or slow requests) used up the time until the deadline.
  kConflict,
  kUnknown,  // The store did not answer until the deadline; it may have committed.
};

// What a commit adds to the table's metaData.
struct TableGrowth {
  // Every column of the commit's files, partition columns included. Existing ones must agree;
  // missing ones are added, nullable; see MergeColumns.
  std::shared_ptr<arrow::Schema> columns;
  std::map<std::string, std::string> properties;  // To be set.
};

struct Transaction {
  std::string operation = "WRITE";  // commitInfo.operation
  std::vector<DataFile> adds;
  std::vector<DataFile> removes;
  // Live files that get these statistics and otherwise stay unchanged. As with removes, the commit
  // conflicts if one of them is no longer live.
  std::vector<DataFile> restates;
  std::map<std::string, int64_t> txns;  // app id -> version
  JsonValue info;                       // An object, merged into commitInfo; null: nothing.
  bool data_change = true;
  // When the first of the added files began to be written; a vacuum may delete files that no
  // version names yet. If that is longer ago than MaxCommitAge (retention.h) of the version that an
  // attempt builds on, the commit is refused. Nothing: files of unknown age, whose safety the
  // caller ensures.
  std::optional<BootClock::time_point> written_since;
  // Called with the snapshot each attempt builds on, once `legal` has agreed, so that another
  // writer's change is merged, never overwritten. Commit returns its error. Null: the files have
  // the columns that the table was opened with, and the table must still have them.
  std::function<Result<TableGrowth>(const Snapshot&)> grow;
};

struct CommitResult {
  CommitOutcome outcome = CommitOutcome::kUnknown;
  int64_t version = -1;  // The committed version.
  int attempts = 0;
  bool too_old = false;  // Refused because of Transaction::written_since.
  std::string detail;    // Why it was not committed, for messages.
};

// A Delta table. Thread-safe. Keeps the newest snapshot that it has seen.
class Table {
 public:
  virtual ~Table() = default;
  // Status::KeyError if the table does not exist.
  static Result<std::unique_ptr<Table>> Open(ObjectStore* store, const std::string& path);
  // Creates the table if absent.
  static Status Create(ObjectStore* store, const TableSpec& spec);
  // Creates it if absent; if present, checks that columns and partitioning agree.
  static Result<std::unique_ptr<Table>> OpenOrCreate(ObjectStore* store, const TableSpec& spec);

  virtual const std::string& path() const = 0;
  virtual ObjectStore* store() const = 0;
  virtual std::shared_ptr<const Snapshot> snapshot() const = 0;
  // Reads new commits and returns the newest snapshot. IOError: the store does not answer; the
  // snapshot is kept. Invalid, NotImplemented: the log is damaged or not supported.
  virtual Result<std::shared_ptr<const Snapshot>> Refresh() = 0;
  // `legal` is called with the snapshot each attempt builds on, before it writes; false: kConflict.
  // Retries with back-off on versions taken by others and on lost replies, until `deadline` (less
  // than an hour away). An error means that the table does not allow the commit (an unknown
  // feature, a missing column, another partitioning) and that nothing was written. Every
  // delta.checkpointInterval versions a checkpoint is written on the table's own thread, for which
  // the destructor waits; after it, at most once an hour, the log is cleaned up.
  virtual Result<CommitResult> Commit(const Transaction& transaction,
                                      const std::function<bool(const Snapshot&)>& legal,
                                      BootClock::time_point deadline) = 0;
};

}  // namespace shopstream::lake
