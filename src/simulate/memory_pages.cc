#include "simulate/memory_pages.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error_kind.h"

namespace shopstream::simulate {
namespace {

constexpr size_t kPageBytes = 4096;

}  // namespace

class MemoryFile : public PageFile {
 public:
  MemoryFile(MemoryPages* folder, std::shared_ptr<MemoryPages::Content> content)
      : folder_(folder), content_(std::move(content)) {}

  Status Read(int64_t offset, std::span<std::byte> into) override {
    if (folder_->is_dead()) return Unavailable("the process is dead");
    const auto begin = static_cast<size_t>(offset);
    if (begin + into.size() > content_->bytes.size()) return Corrupt("the file ends earlier");
    if (!into.empty()) std::memcpy(into.data(), content_->bytes.data() + begin, into.size());
    folder_->pages_read_ += static_cast<int64_t>((into.size() + kPageBytes - 1) / kPageBytes);
    return Status::OK();
  }

  Status Write(int64_t offset, std::span<const std::byte> bytes) override {
    const bool was_dead = folder_->is_dead();
    const Status status = folder_->Strike();
    if (was_dead) return status;
    if (!status.ok()) bytes = bytes.first(bytes.size() / 2);
    const auto begin = static_cast<size_t>(offset);
    auto& content = content_->bytes;
    content.resize(std::max(content.size(), begin + bytes.size()));
    if (!bytes.empty()) std::memcpy(content.data() + begin, bytes.data(), bytes.size());
    content_->modified = ++folder_->clock_;
    folder_->bytes_written_ += std::ssize(bytes);
    return status;
  }

  Result<int64_t> Size() override { return std::ssize(content_->bytes); }

  Status Sync() override {
    if (folder_->is_dead()) return Unavailable("the process is dead");
    content_->synced = content_->bytes;
    return Status::OK();
  }

 private:
  MemoryPages* const folder_;
  const std::shared_ptr<MemoryPages::Content> content_;
};

Status MemoryPages::Strike() {
  if (writes_left_ != kUnlimited) --writes_left_;
  return is_dead() ? Unavailable("the process is dead") : Status::OK();
}

Result<std::unique_ptr<PageFile>> MemoryPages::Open(const std::string& name) {
  if (is_dead()) return Unavailable("the process is dead");
  auto& content = files_[name];
  if (content == nullptr) content = std::make_shared<Content>(Content{.modified = ++clock_});
  return std::make_unique<MemoryFile>(this, content);
}

Result<bool> MemoryPages::Has(const std::string& name) {
  if (is_dead()) return Unavailable("the process is dead");
  return files_.contains(name);
}

Status MemoryPages::Remove(const std::string& name) {
  if (is_dead()) return Unavailable("the process is dead");
  files_.erase(name);
  return Status::OK();
}

Result<std::vector<PageFolder::Entry>> MemoryPages::List() {
  ++listings_;
  if (is_dead()) return Unavailable("the process is dead");
  std::vector<Entry> entries;
  for (const auto& [name, content] : files_) {
    entries.push_back({name, std::ssize(content->bytes), content->modified});
  }
  return entries;
}

void MemoryPages::LosePower(const std::function<bool()>& keeps) {
  ++boots_;
  Revive();
  for (auto& [name, content] : files_) {
    if (content->synced == content->bytes) continue;
    // A page that did not arrive is what it was, or zero if there was none.
    std::string left = content->bytes;
    for (size_t page = 0; page < left.size(); page += kPageBytes) {
      if (keeps()) continue;
      const size_t bytes = std::min(kPageBytes, left.size() - page);
      std::memset(left.data() + page, 0, bytes);
      if (page < content->synced.size()) content->synced.copy(left.data() + page, bytes, page);
    }
    content = std::make_shared<Content>(Content{left, left, content->modified});
  }
}

}  // namespace shopstream::simulate
