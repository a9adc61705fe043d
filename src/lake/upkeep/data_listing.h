#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"

namespace shopstream::lake {

// Objects in a table's folder that may be its data files: *.parquet, with no part of the path
// hidden (beginning with '_' or '.') and not inside another table. With partition columns, only
// objects inside a partition's folder, however deep; objects next to those folders are not data
// files.

// Whether a path, relative to the table, may be of such an object.
bool MayBeDataFile(std::string_view path);

// Calls `visit` with one partition's files at a time (paths relative to the table), so that memory
// holds one partition's listing. Stops early, with OK, if `stop` returns true.
Status ForEachDataFolder(ObjectStore* store, const std::string& table_path,
                         size_t partition_columns,
                         const std::function<Status(const std::vector<ObjectEntry>&)>& visit,
                         const std::function<bool()>& stop);

// A set of paths in 8 bytes each. It may confuse two paths once in 2^64 pairs: use it only if such
// an error is on the safe side.
class PathSet {
 public:
  void Add(std::string_view path);
  void Finish();  // Call after the last Add.
  bool Contains(std::string_view path) const;

 private:
  std::vector<uint64_t> hashes_;  // Sorted by Finish.
};

// The files named by a snapshot: live ones, and those removed after `removed_after_ms`.
PathSet NamedFiles(const Snapshot& snapshot, int64_t removed_after_ms);

}  // namespace shopstream::lake
