#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/config.h"
#include "base/status.h"
#include "lake/delta/size_history.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "observe/table_look.h"

namespace shopstream::console {

// The lake as the console reads it: one connection, and the newest snapshot of each table that was
// looked at, so that a look reads only new commits. Thread-safe.
class LakeTables {
 public:
  explicit LakeTables(const Config& config) : config_(config) {}

  // Connects at the first call, and again after a failure.
  Result<std::shared_ptr<lake::ObjectStore>> Store();
  // Null: there is no such table.
  Result<std::shared_ptr<const lake::Snapshot>> Newest(const std::string& path);
  // KeyError: there is no such table; the message names those that exist.
  Result<std::shared_ptr<const lake::Snapshot>> Existing(const std::string& path);
  // KeyError: there is no such table.
  Result<std::vector<lake::SizePoint>> Sizes(const std::string& path);

 private:
  // Of one table.
  struct Followed {
    explicit Followed(const std::shared_ptr<lake::ObjectStore>& store, const std::string& path)
        : newest(store, path), sizes(store.get(), path) {}

    std::mutex mutex;  // Guards the others.
    observe::NewestVersion newest;
    lake::SizeHistory sizes;
  };

  Result<std::shared_ptr<Followed>> Follow(const std::string& path);

  const Config& config_;
  std::mutex mutex_;  // Guards the members below.
  std::shared_ptr<lake::ObjectStore> store_;
  std::map<std::string, std::shared_ptr<Followed>> tables_;  // Of those that exist.
};

}  // namespace shopstream::console
