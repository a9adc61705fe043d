#include "lake/upkeep/data_listing.h"

#include <algorithm>
#include <set>
#include <utility>

namespace shopstream::lake {
namespace {

bool IsHidden(std::string_view name) { return name.starts_with('_') || name.starts_with('.'); }

bool HasHiddenPart(std::string_view path) {
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    if (IsHidden(path.substr(begin, end - begin))) return true;
    begin = end + 1;
  }
  return false;
}

// The folders, each ending in '/', of tables inside a listing.
std::set<std::string> NestedTables(const std::vector<ObjectEntry>& objects) {
  constexpr std::string_view kLog = "/_delta_log/";
  std::set<std::string> tables;
  for (const ObjectEntry& object : objects) {
    const size_t at = object.path.find(kLog);
    if (at != std::string::npos) tables.insert(object.path.substr(0, at + 1));
  }
  return tables;
}

class Walker {
 public:
  Walker(ObjectStore* store, const std::string& table_path,
         const std::function<Status(const std::vector<ObjectEntry>&)>& visit,
         const std::function<bool()>& stop)
      : store_(store), prefix_(table_path + "/"), visit_(visit), stop_(stop) {}

  // `folder`: relative to the table, "" or ending in '/'.
  Status Walk(const std::string& folder, size_t levels) {
    if (levels == 0) return Visit(folder);
    std::string full_path = prefix_ + folder;
    full_path.pop_back();
    ARROW_ASSIGN_OR_RAISE(const auto names, store_->ListFolders(full_path));
    const bool is_table = std::find(names.begin(), names.end(), "_delta_log") != names.end();
    if (is_table && !folder.empty()) return Status::OK();
    for (const std::string& name : names) {
      if (stop_()) return Status::OK();
      if (!IsHidden(name)) ARROW_RETURN_NOT_OK(Walk(folder + name + "/", levels - 1));
    }
    return Status::OK();
  }

 private:
  Status Visit(const std::string& folder) {
    ARROW_ASSIGN_OR_RAISE(auto objects, store_->List(prefix_ + folder));
    for (ObjectEntry& object : objects) object.path.erase(0, prefix_.size());
    const auto nested = NestedTables(objects);
    std::erase_if(objects, [&nested](const ObjectEntry& object) {
      return !MayBeDataFile(object.path) ||
             std::any_of(nested.begin(), nested.end(), [&object](const std::string& table) {
               return object.path.starts_with(table);
             });
    });
    return objects.empty() ? Status::OK() : visit_(objects);
  }

  ObjectStore* const store_;
  const std::string prefix_;
  const std::function<Status(const std::vector<ObjectEntry>&)>& visit_;
  const std::function<bool()>& stop_;
};

uint64_t PathHash(std::string_view path) { return std::hash<std::string_view>{}(path); }

}  // namespace

bool MayBeDataFile(std::string_view path) {
  return path.ends_with(".parquet") && !HasHiddenPart(path);
}

Status ForEachDataFolder(ObjectStore* store, const std::string& table_path,
                         size_t partition_columns,
                         const std::function<Status(const std::vector<ObjectEntry>&)>& visit,
                         const std::function<bool()>& stop) {
  return Walker(store, table_path, visit, stop).Walk("", partition_columns);
}

void PathSet::Add(std::string_view path) { hashes_.push_back(PathHash(path)); }

void PathSet::Finish() { std::sort(hashes_.begin(), hashes_.end()); }

bool PathSet::Contains(std::string_view path) const {
  return std::binary_search(hashes_.begin(), hashes_.end(), PathHash(path));
}

PathSet NamedFiles(const Snapshot& snapshot, int64_t removed_after_ms) {
  PathSet named;
  snapshot.VisitFiles([&named](const DataFile& file) { named.Add(file.path); });
  snapshot.VisitRemoved([&](const std::string& path, int64_t removed_ms) {
    if (removed_ms > removed_after_ms) named.Add(path);
  });
  named.Finish();
  return named;
}

}  // namespace shopstream::lake
