#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace shopstream {

// What changes when a file is replaced or rewritten, or gets another owner or mode. A path with
// links is followed to its end, because an orchestrator replaces a mounted secret by moving a link.
struct FileStamp {
  uint64_t device = 0, inode = 0;
  int64_t size = -1;  // -1: there is no such file, or it may not be looked at.
  int64_t changed_ns = 0;

  static FileStamp Of(const std::string& path);
  bool operator==(const FileStamp&) const = default;
};

// When files that a server reads again have to be read. A state that could not be read stays a
// change, so that it is tried again. One thread at a time.
class FileChanges {
 public:
  // Looks at the files: construct it before the first read, so that no later change is missed.
  explicit FileChanges(std::vector<std::string> paths);

  bool Seen();          // Looks again. Whether they differ from what was taken last.
  void Take();          // What Seen looked at was read, or will not be tried again.
  bool IsNewFailure();  // What Seen looked at could not be read: whether that is news.

 private:
  std::vector<FileStamp> Look() const;

  std::vector<std::string> paths_;
  std::vector<FileStamp> taken_, seen_;
  std::optional<std::vector<FileStamp>> failed_;
};

}  // namespace shopstream
