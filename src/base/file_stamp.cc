#include "base/file_stamp.h"

#include <sys/stat.h>

namespace shopstream {

FileStamp FileStamp::Of(const std::string& path) {
  struct stat seen {};
  if (stat(path.c_str(), &seen) != 0) return {};
  return {.device = seen.st_dev,
          .inode = seen.st_ino,
          .size = seen.st_size,
          .changed_ns = seen.st_ctim.tv_sec * int64_t{1'000'000'000} + seen.st_ctim.tv_nsec};
}

}  // namespace shopstream
