#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/packed_map.h"
#include "lake/delta/table.h"

namespace shopstream::lake {

// A table as of one version: the log's actions reconciled (Delta protocol, "Action
// Reconciliation"). Built by replaying entries; immutable once shared as a Snapshot. A copy shares
// the files with its origin, so that a commit's new state costs microseconds.
class TableState : public Snapshot {
 public:
  // Applies the next version's entry. After the last one, call Finish.
  Status Replay(int64_t version, const LogEntry& entry);
  // Applies actions of the checkpoint of `version`, in any number of calls, with the metaData in
  // the first; each path occurs once.
  Status ReplayCheckpoint(int64_t version, const LogEntry& actions);
  // The digest of the newest entry's bytes, if the state was read from a checkpoint alone.
  void NoteEntryDigest(uint64_t digest) { entry_digest_ = digest; }
  // Checks that this reader supports the table, and parses its schema.
  Status Finish();

  int64_t version() const override { return version_; }
  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  const std::vector<std::string>& partition_columns() const override {
    return metadata_->partition_columns;
  }
  const std::map<std::string, std::string>& properties() const override {
    return metadata_->configuration;
  }
  std::optional<int64_t> Txn(const std::string& app_id) const override;
  const std::map<std::string, int64_t>& Txns() const override { return txns_; }
  std::vector<DataFile> Files() const override;
  void VisitFiles(const std::function<void(const DataFile&)>& visit) const override {
    ForEachAdd([&visit](const AddFile& add) { visit(add.file); });
  }
  int64_t file_count() const override { return static_cast<int64_t>(files_.size()); }
  void VisitRemoved(
      const std::function<void(const std::string& path, int64_t removed_ms)>& visit) const override;

  const Protocol& protocol() const { return *protocol_; }
  const Metadata& metadata() const { return *metadata_; }
  std::vector<lake::Txn> TxnActions() const;
  void ForEachAdd(const std::function<void(const AddFile&)>& visit) const;
  void ForEachTombstone(const std::function<void(const RemoveFile&)>& visit) const;
  int64_t tombstone_count() const { return static_cast<int64_t>(tombstones_.size()); }
  // The live files at these paths, in the same order; nothing for a path that is not live.
  std::vector<std::optional<AddFile>> FindFiles(const std::vector<std::string>& paths) const;
  // Removes tombstones older than the table's delta.deletedFileRetentionDuration.
  void DropExpiredTombstones(int64_t now_ms);
  // EntryDigest of this version's entry; 0: not known. A version is written once: a different entry
  // in its place means that the table was replaced or restored.
  uint64_t entry_digest() const { return entry_digest_; }
  int64_t memory_bytes() const { return files_.memory_bytes() + tombstones_.memory_bytes(); }

 private:
  void OrderPartitionValues(PartitionValues* values) const;

  int64_t version_ = -1;
  uint64_t entry_digest_ = 0;
  std::shared_ptr<const Protocol> protocol_;
  std::shared_ptr<const Metadata> metadata_;
  std::shared_ptr<arrow::Schema> schema_;
  std::map<std::string, int64_t> txns_;
  std::map<std::string, int64_t> txns_updated_ms_;  // Only for those that have one.
  PackedMap files_;                                 // By path; see table_state.cc for the values.
  PackedMap tombstones_;
};

// The state behind a snapshot that a Table of this library returned.
inline const TableState& StateOf(const Snapshot& snapshot) {
  return dynamic_cast<const TableState&>(snapshot);
}

// Whether the newest version has the file: one missing from storage may have been replaced by
// another writer. Also true if the table cannot be read now; the caller's next read explains why.
bool MayBeLive(Table* table, const std::string& path);

// OK for a plain (1, 2) table. Otherwise NotImplemented, naming the feature that forbids writing
// and the remedy.
Status CheckWritable(const TableState& state);

// A count property; `otherwise` if absent, not a number, or below 1.
int64_t CountProperty(const std::map<std::string, std::string>& properties, const std::string& name,
                      int64_t otherwise);

}  // namespace shopstream::lake
