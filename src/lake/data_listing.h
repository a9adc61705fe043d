#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "lake/object_store.h"
#include "lake/table.h"

namespace shopstream::lake {

// What lies in a table's folder and may be a data file of it: *.parquet, with no part of its path
// hidden (beginning with '_' or '.') and not inside another table. With partition columns, only
// what lies inside a partition's folder, however deep: what stands beside those folders is nobody's
// data file.

// Calls `visit` with the files of one partition's folder at a time, paths relative to the table,
// so that memory holds one partition's listing. Ends early, with OK, where `stop` says so.
Status ForEachDataFolder(ObjectStore* store, const std::string& table_path,
                         size_t partition_columns,
                         const std::function<Status(const std::vector<ObjectEntry>&)>& visit,
                         const std::function<bool()>& stop);

// A set of paths in 8 bytes each. May take a path for another's once in 2^64 pairs: use it only
// where that errs on the safe side.
class PathSet {
 public:
  void Add(std::string_view path);
  void Finish();  // After the last Add.
  bool Contains(std::string_view path) const;

 private:
  std::vector<uint64_t> hashes_;  // Sorted once finished.
};

// The files that a snapshot names: live ones, and those removed after `removed_after_ms`.
PathSet NamedFiles(const Snapshot& snapshot, int64_t removed_after_ms);

}  // namespace shopstream::lake
