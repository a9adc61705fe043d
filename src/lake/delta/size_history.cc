#include "lake/delta/size_history.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "lake/delta/log_entry.h"
#include "lake/delta/log_reader.h"
#include "lake/delta/table_at.h"

namespace shopstream::lake {
namespace {

uint64_t KeyOf(const std::string& path) { return std::hash<std::string>{}(path); }

}  // namespace

Result<const std::vector<SizePoint>*> SizeHistory::Read() {
  ARROW_ASSIGN_OR_RAISE(const LogSpan span, ReadLogSpan(store_, table_));
  const bool continues = !points_.empty() && now_.version >= span.oldest &&
                         now_.version <= span.newest && span.newest - now_.version <= kMostVersions;
  if (!continues) ARROW_RETURN_NOT_OK(Start(span));
  for (int64_t version = now_.version + 1; version <= span.newest; ++version) {
    ARROW_ASSIGN_OR_RAISE(const auto entry, ReadLogEntry(store_, table_, version));
    if (!entry) break;  // Cleaned up, or replaced; the next call starts over.
    Take(*entry);
    Note(version, CommitTimestamp(*entry).value_or(now_.time_ms));
  }
  return &points_;
}

Status SizeHistory::Start(const LogSpan& span) {
  live_.clear();
  points_.clear();
  now_ = {};
  const int64_t first = std::max(span.oldest, span.newest - kMostVersions);
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, SnapshotAt(store_, table_, first));
  snapshot->VisitFiles([this](const DataFile& file) {
    live_[KeyOf(file.path)] = {file.size_bytes, std::max<int64_t>(file.rows, 0)};
    ++now_.files;
    now_.bytes += file.size_bytes;
    now_.rows += std::max<int64_t>(file.rows, 0);
  });
  ARROW_ASSIGN_OR_RAISE(const auto time_ms, CommitTime(store_, table_, first));
  Note(first, time_ms.value_or(0));
  return Status::OK();
}

// A file that is added again, with other statistics, is one file.
void SizeHistory::Take(const LogEntry& entry) {
  const auto forget = [this](uint64_t key) {
    const auto found = live_.find(key);
    if (found == live_.end()) return;
    --now_.files;
    now_.bytes -= found->second.bytes;
    now_.rows -= found->second.rows;
    live_.erase(found);
  };
  for (const RemoveFile& remove : entry.removes) forget(KeyOf(remove.path));
  for (const AddFile& add : entry.adds) {
    const uint64_t key = KeyOf(add.file.path);
    forget(key);
    const Size size{add.file.size_bytes, std::max<int64_t>(add.file.rows, 0)};
    live_[key] = size;
    ++now_.files;
    now_.bytes += size.bytes;
    now_.rows += size.rows;
  }
}

void SizeHistory::Note(int64_t version, int64_t time_ms) {
  now_.version = version;
  now_.time_ms = time_ms;
  points_.push_back(now_);
  if (std::ssize(points_) > 2 * kMostVersions) {
    points_.erase(points_.begin(), points_.end() - kMostVersions);
  }
}

}  // namespace shopstream::lake
