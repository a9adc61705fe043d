#include "simulate/memory_store.h"

#include <arrow/io/memory.h>

#include <utility>

#include "base/clock.h"
#include "base/error_kind.h"

namespace shopstream::simulate {

// Collects the pieces, and puts them at Close.
class MemoryStore::Output : public arrow::io::OutputStream {
 public:
  Output(MemoryStore* store, std::string path,
         std::shared_ptr<arrow::io::BufferOutputStream> pieces)
      : store_(store), path_(std::move(path)), pieces_(std::move(pieces)) {}

  using OutputStream::Write;
  Status Write(const void* data, int64_t size) override { return pieces_->Write(data, size); }
  Status Close() override {
    if (closed()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto content, pieces_->Finish());
    return store_->Put(path_, *content);
  }
  Status Abort() override { return pieces_->Close(); }
  bool closed() const override { return pieces_->closed(); }
  Result<int64_t> Tell() const override { return pieces_->Tell(); }

 private:
  MemoryStore* const store_;
  const std::string path_;
  const std::shared_ptr<arrow::io::BufferOutputStream> pieces_;
};

Result<std::shared_ptr<arrow::Buffer>> MemoryStore::Get(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(path);
  return found == objects_.end() ? nullptr : found->second.content;
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> MemoryStore::OpenInput(
    const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto content, Get(path));
  if (content == nullptr) return Gone("no object ", path);
  return std::make_shared<arrow::io::BufferReader>(std::move(content));
}

Status MemoryStore::Put(const std::string& path, const arrow::Buffer& content) {
  ARROW_ASSIGN_OR_RAISE(auto copy, content.CopySlice(0, content.size()));
  const std::lock_guard lock(mutex_);
  objects_[path] = {std::move(copy), WallClockMillis() + clock_offset_ms_};
  return Status::OK();
}

Result<std::shared_ptr<arrow::io::OutputStream>> MemoryStore::OpenOutput(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto pieces, arrow::io::BufferOutputStream::Create());
  return std::make_shared<Output>(this, path, std::move(pieces));
}

Result<lake::PutOutcome> MemoryStore::PutIfAbsent(const std::string& path,
                                                  const arrow::Buffer& content) {
  ARROW_ASSIGN_OR_RAISE(auto copy, content.CopySlice(0, content.size()));
  const std::lock_guard lock(mutex_);
  const bool created =
      objects_.try_emplace(path, Object{std::move(copy), WallClockMillis() + clock_offset_ms_})
          .second;
  return created ? lake::PutOutcome::kCreated : lake::PutOutcome::kExists;
}

Result<std::vector<lake::ObjectEntry>> MemoryStore::List(const std::string& prefix,
                                                         const std::string& after) {
  const std::lock_guard lock(mutex_);
  std::vector<lake::ObjectEntry> entries;
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
  ARROW_ASSIGN_OR_RAISE(const auto objects, List(prefix, ""));
  return FoldersBelow(prefix, objects);
}

Status MemoryStore::Delete(const std::string& path) {
  const std::lock_guard lock(mutex_);
  objects_.erase(path);
  return Status::OK();
}

Result<int64_t> MemoryStore::Now() {
  const std::lock_guard lock(mutex_);
  return WallClockMillis() + clock_offset_ms_;
}

void MemoryStore::AdvanceClock(std::chrono::milliseconds by) {
  const std::lock_guard lock(mutex_);
  clock_offset_ms_ += by.count();
}

}  // namespace shopstream::simulate
