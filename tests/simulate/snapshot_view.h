#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lake/delta/table.h"

// What mistaken programs see of a table, and what they make of a commit.
namespace shopstream::simulate {

using Prepared = Result<lake::ChangesOrRefusal>;

// The changes, unless the writer refused or failed.
inline lake::Changes* ChangesIn(Prepared* prepared) {
  return prepared->ok() ? std::get_if<lake::Changes>(&**prepared) : nullptr;
}

// A snapshot, parts of which are replaced.
class SnapshotView : public lake::Snapshot {
 public:
  explicit SnapshotView(const lake::Snapshot& right) : right_(right) {}
  int64_t version() const override { return right_.version(); }
  const std::shared_ptr<arrow::Schema>& schema() const override { return right_.schema(); }
  const std::vector<std::string>& partition_columns() const override {
    return right_.partition_columns();
  }
  const std::map<std::string, std::string>& properties() const override {
    return right_.properties();
  }
  std::optional<int64_t> Txn(const std::string& app_id) const override {
    return right_.Txn(app_id);
  }
  const std::map<std::string, int64_t>& Txns() const override { return right_.Txns(); }
  std::vector<DataFile> Files() const override { return right_.Files(); }
  void VisitFiles(const std::function<void(const DataFile&)>& visit) const override {
    right_.VisitFiles(visit);
  }
  int64_t file_count() const override { return right_.file_count(); }
  void VisitRemoved(const std::function<void(const std::string& path, int64_t removed_ms)>& visit)
      const override {
    right_.VisitRemoved(visit);
  }

 private:
  const lake::Snapshot& right_;
};

// Shows the txns of an earlier version.
class OutdatedTxns : public SnapshotView {
 public:
  OutdatedTxns(const lake::Snapshot& right, std::map<std::string, int64_t> txns)
      : SnapshotView(right), txns_(std::move(txns)) {}
  std::optional<int64_t> Txn(const std::string& app_id) const override {
    const auto found = txns_.find(app_id);
    return found == txns_.end() ? std::nullopt : std::optional(found->second);
  }
  const std::map<std::string, int64_t>& Txns() const override { return txns_; }

 private:
  const std::map<std::string, int64_t> txns_;
};

// Shows no files.
class FilelessSnapshot : public SnapshotView {
 public:
  explicit FilelessSnapshot(std::shared_ptr<const lake::Snapshot> right)
      : SnapshotView(*right), right_(std::move(right)) {}
  std::vector<DataFile> Files() const override { return {}; }
  void VisitFiles(const std::function<void(const DataFile&)>&) const override {}
  int64_t file_count() const override { return 0; }

 private:
  const std::shared_ptr<const lake::Snapshot> right_;
};

}  // namespace shopstream::simulate
