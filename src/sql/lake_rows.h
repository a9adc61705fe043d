#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lake/delta/table.h"
#include "lake/parquet/file_predicate.h"
#include "lake/store/object_store.h"
#include "sql/row_source.h"

namespace shopstream::sql {

// What reading a table took.
struct ReadStats {
  int64_t files = 0;       // Of the version.
  int64_t files_read = 0;  // At least in part; each once, even if it was read again.
  int64_t bytes_read = 0;  // From storage.
  int64_t rows_read = 0;   // Including those that only the log was asked for.
};

// The rows of one version of a table. Files are read in ranges, some columns of one file per thread
// at a time. Numbers of rows and partition columns come from the log, so that count(*) and queries
// of partition columns alone read no file.
class LakeRows : public RowSource {
 public:
  // Borrowed; outlives the rows.
  LakeRows(lake::ObjectStore* store, std::string table,
           std::shared_ptr<const lake::Snapshot> snapshot);
  // Adds the rows of another table with these columns, of which it may lack some; partitioned
  // alike. Before anything is read.
  void Add(lake::ObjectStore* store, std::string table,
           std::shared_ptr<const lake::Snapshot> snapshot);

  const std::shared_ptr<arrow::Schema>& schema() const override {
    return parts_.front().snapshot->schema();
  }
  std::optional<int64_t> row_count() const override { return row_count_; }
  int MaxThreads() const override;
  Result<std::unique_ptr<RowScan>> Open(const std::vector<int>& columns, int threads) override;

  // From now on, scans leave out files and row groups without rows that satisfy the condition;
  // rows that do not satisfy it may still come. Not during a scan.
  void Narrow(lake::FilePredicate condition);

  // Since the last Narrow.
  ReadStats stats() const;

 private:
  friend class LakeScan;

  struct Part {
    lake::ObjectStore* store;
    std::string table;
    std::shared_ptr<const lake::Snapshot> snapshot;
    size_t first_file;  // In WholeFiles.
  };
  const Part& PartOf(size_t file) const;
  // With their paths and statistics. A statement that only counts needs neither, and they are most
  // of what there is to copy.
  const std::vector<DataFile>& WholeFiles();

  std::vector<Part> parts_;        // At least one, which has all columns.
  std::vector<DataFile> counted_;  // Without path and statistics.
  bool all_counted_ = true;        // The log has all their rows and partition values.
  std::once_flag copied_;
  std::vector<DataFile> whole_;  // Once they were needed.
  std::optional<int64_t> row_count_;
  lake::FilePredicate condition_;
  std::vector<std::atomic<bool>> was_read_;  // For each of whole_.
  std::atomic<int64_t> bytes_read_{0};
  std::atomic<int64_t> rows_read_{0};
};

}  // namespace shopstream::sql
