#include "base/file_stamp.h"

#include <sys/stat.h>

#include <utility>

namespace shopstream {

FileStamp FileStamp::Of(const std::string& path) {
  struct stat seen {};
  if (stat(path.c_str(), &seen) != 0) return {};
  return {.device = seen.st_dev,
          .inode = seen.st_ino,
          .size = seen.st_size,
          .changed_ns = seen.st_ctim.tv_sec * int64_t{1'000'000'000} + seen.st_ctim.tv_nsec};
}

FileChanges::FileChanges(std::vector<std::string> paths)
    : paths_(std::move(paths)), taken_(Look()), seen_(taken_) {}

std::vector<FileStamp> FileChanges::Look() const {
  std::vector<FileStamp> stamps;
  for (const std::string& path : paths_) stamps.push_back(FileStamp::Of(path));
  return stamps;
}

bool FileChanges::Seen() {
  seen_ = Look();
  return seen_ != taken_;
}

void FileChanges::Take() {
  taken_ = seen_;
  failed_.reset();
}

bool FileChanges::IsNewFailure() { return std::exchange(failed_, seen_) != seen_; }

}  // namespace shopstream
