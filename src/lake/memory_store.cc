#include "lake/memory_store.h"

#include <arrow/io/memory.h>

#include "base/clock.h"

namespace shopstream::lake {

Result<std::shared_ptr<arrow::Buffer>> MemoryStore::Get(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(path);
  return found == objects_.end() ? nullptr : found->second.content;
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> MemoryStore::OpenInput(
    const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto content, Get(path));
  if (content == nullptr) return Status::IOError("no object ", path);
  return std::make_shared<arrow::io::BufferReader>(std::move(content));
}

Status MemoryStore::Put(const std::string& path, const arrow::Buffer& content) {
  ARROW_ASSIGN_OR_RAISE(auto copy, content.CopySlice(0, content.size()));
  const std::lock_guard lock(mutex_);
  objects_[path] = {std::move(copy), WallClockMillis()};
  return Status::OK();
}

Result<PutOutcome> MemoryStore::PutIfAbsent(const std::string& path, const arrow::Buffer& content) {
  ARROW_ASSIGN_OR_RAISE(auto copy, content.CopySlice(0, content.size()));
  const std::lock_guard lock(mutex_);
  const bool created =
      objects_.try_emplace(path, Object{std::move(copy), WallClockMillis()}).second;
  return created ? PutOutcome::kCreated : PutOutcome::kExists;
}

Result<std::vector<ObjectEntry>> MemoryStore::List(const std::string& prefix,
                                                   const std::string& after) {
  const std::lock_guard lock(mutex_);
  std::vector<ObjectEntry> entries;
  for (auto it = objects_.lower_bound(prefix);
       it != objects_.end() && it->first.starts_with(prefix); ++it) {
    if (it->first > after) {
      entries.push_back({it->first, it->second.content->size(), it->second.modified_ms});
    }
  }
  return entries;
}

Result<std::vector<std::string>> MemoryStore::ListFolders(const std::string& folder) {
  const std::string prefix = folder.empty() ? "" : folder + "/";
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (auto it = objects_.lower_bound(prefix);
       it != objects_.end() && it->first.starts_with(prefix); ++it) {
    const size_t slash = it->first.find('/', prefix.size());
    if (slash == std::string::npos) continue;
    std::string name = it->first.substr(prefix.size(), slash - prefix.size());
    if (names.empty() || names.back() != name) names.push_back(std::move(name));
  }
  return names;
}

Status MemoryStore::Delete(const std::string& path) {
  const std::lock_guard lock(mutex_);
  objects_.erase(path);
  return Status::OK();
}

}  // namespace shopstream::lake
