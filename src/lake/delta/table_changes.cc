#include "lake/delta/table_changes.h"

#include <algorithm>
#include <set>
#include <utility>

#include "lake/delta/log_entry.h"
#include "lake/delta/log_reader.h"
#include "lake/delta/table_state.h"

namespace shopstream::lake {
namespace {

constexpr int64_t kMostVersions = 1000;

// Follows new rows from the files that brought them to those that they were moved to.
class NewRows {
 public:
  void Apply(const LogEntry& entry) {
    std::vector<const RemoveFile*> moved_from;
    for (const RemoveFile& remove : entry.removes) {
      if (paths_.contains(remove.path)) moved_from.push_back(&remove);
    }
    std::set<std::string> now;
    // A writer may spell a partition's value differently: then any added file may have the rows.
    const bool is_respelled = std::ranges::any_of(moved_from, [&](const RemoveFile* from) {
      return std::ranges::none_of(entry.adds,
                                  [from](const AddFile& add) { return MayShareRows(*from, add); });
    });
    for (const AddFile& add : entry.adds) {
      const bool has_moved = std::ranges::any_of(
          moved_from, [&add](const RemoveFile* from) { return MayShareRows(*from, add); });
      if (add.data_change || is_respelled || has_moved || paths_.contains(add.file.path)) {
        now.insert(add.file.path);
      }
    }
    for (const RemoveFile* from : moved_from) paths_.erase(from->path);
    paths_.merge(now);
  }

  // Files that may have new rows.
  std::vector<std::string> paths() const { return {paths_.begin(), paths_.end()}; }

 private:
  // Rows stay in their partition when they move.
  static bool MayShareRows(const RemoveFile& from, const AddFile& to) {
    if (!from.size_bytes) return true;  // Its partition is unknown.
    return Sorted(from.partition_values) == Sorted(to.file.partition_values);
  }
  static PartitionValues Sorted(PartitionValues values) {
    std::ranges::sort(values);
    return values;
  }

  std::set<std::string> paths_;
};

}  // namespace

Result<std::optional<TableChanges>> ChangesSince(ObjectStore* store, const std::string& table_path,
                                                 const Snapshot& snapshot, int64_t since) {
  if (since > snapshot.version() || snapshot.version() - since > kMostVersions) {
    return std::nullopt;
  }
  TableChanges changes;
  NewRows new_rows;
  // From the oldest, which a clean-up of the log deletes first.
  for (int64_t version = since + 1; version <= snapshot.version(); ++version) {
    const auto read = ReadLogEntry(store, table_path, version);
    // The snapshot may be readable nevertheless, from a later checkpoint.
    if (read.status().IsNotImplemented()) return std::nullopt;
    ARROW_ASSIGN_OR_RAISE(const auto& entry, read);
    if (!entry) return std::nullopt;
    new_rows.Apply(*entry);
    for (const RemoveFile& remove : entry->removes) {
      if (remove.data_change) changes.removed.push_back({remove.path, remove.partition_values});
    }
  }
  for (auto& live : StateOf(snapshot).FindFiles(new_rows.paths())) {
    if (live) changes.added.push_back(std::move(live->file));
  }
  return changes;
}

}  // namespace shopstream::lake
