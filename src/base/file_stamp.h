#pragma once

#include <cstdint>
#include <string>

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

}  // namespace shopstream
