#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "observe/sample.h"

namespace shopstream::observe {

// Follows the newest version of one table, which may appear, be deleted or be replaced meanwhile.
// One thread.
class NewestVersion {
 public:
  NewestVersion(std::shared_ptr<lake::ObjectStore> store, std::string path)
      : store_(std::move(store)), path_(std::move(path)) {}

  // Null: there is no table.
  Result<std::shared_ptr<const lake::Snapshot>> Read();
  lake::ObjectStore* store() const { return store_.get(); }
  const std::string& path() const { return path_; }

 private:
  Result<bool> EntryStands(int64_t version) const;

  const std::shared_ptr<lake::ObjectStore> store_;
  const std::string path_;
  std::unique_ptr<lake::Table> table_;  // Null: not opened, or it was deleted or replaced.
  BootClock::time_point certain_at_{};  // When it was last known to be the same table.
};

// Looks at one table of the lake. It reads only what is new since the last look. One thread.
class TableLook {
 public:
  // `has_progress`: the table is Bronze, whose log has the progress of each Kafka partition.
  TableLook(std::shared_ptr<lake::ObjectStore> store, const std::string& path, bool has_progress);

  Result<TableSample> Look();

 private:
  Result<TableSample> Read(const lake::Snapshot& snapshot) const;

  NewestVersion newest_;
  const bool has_progress_;
  std::shared_ptr<const lake::Snapshot> snapshot_;  // What `sample_` was made of.
  TableSample sample_;
};

// Counts the rows of quarantine by cause. Each data file is read once. One thread.
class QuarantineLook {
 public:
  QuarantineLook(std::shared_ptr<lake::ObjectStore> store, const std::string& path);

  Result<QuarantineSample> Look();

 private:
  using Causes = std::map<std::string, int64_t>;

  NewestVersion newest_;
  std::map<std::string, Causes> causes_of_;  // By the path of the live file.
};

}  // namespace shopstream::observe
