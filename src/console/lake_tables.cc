#include "console/lake_tables.h"

#include <vector>

#include "lake/delta/existing_table.h"

namespace shopstream::console {

Result<std::shared_ptr<lake::ObjectStore>> LakeTables::Store() {
  const std::lock_guard lock(mutex_);
  if (store_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(store_, lake::OpenObjectStore(config_));
  }
  return store_;
}

Result<std::shared_ptr<LakeTables::Followed>> LakeTables::Follow(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto store, Store());
  const std::lock_guard lock(mutex_);
  const auto found = tables_.find(path);
  if (found != tables_.end()) return found->second;
  return std::make_shared<Followed>(store, path);
}

Result<std::shared_ptr<const lake::Snapshot>> LakeTables::Newest(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto followed, Follow(path));
  std::shared_ptr<const lake::Snapshot> snapshot;
  {
    const std::lock_guard lock(followed->mutex);
    ARROW_ASSIGN_OR_RAISE(snapshot, followed->newest.Read());
  }
  // Names that anybody may ask for are not kept.
  const std::lock_guard lock(mutex_);
  if (snapshot == nullptr) {
    tables_.erase(path);
  } else {
    tables_.emplace(path, followed);
  }
  return snapshot;
}

Result<std::shared_ptr<const lake::Snapshot>> LakeTables::Existing(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto snapshot, Newest(path));
  if (snapshot != nullptr) return snapshot;
  ARROW_ASSIGN_OR_RAISE(const auto store, Store());
  ARROW_ASSIGN_OR_RAISE(const auto table, lake::OpenExisting(store.get(), path));
  return table->snapshot();
}

Result<std::vector<lake::SizePoint>> LakeTables::Sizes(const std::string& path) {
  ARROW_RETURN_NOT_OK(Existing(path).status());
  ARROW_ASSIGN_OR_RAISE(const auto followed, Follow(path));
  const std::lock_guard lock(followed->mutex);
  ARROW_ASSIGN_OR_RAISE(const auto* points, followed->sizes.Read());
  return *points;
}

}  // namespace shopstream::console
