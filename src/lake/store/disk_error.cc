#include "lake/store/disk_error.h"

#include <cerrno>
#include <system_error>

#include "base/error_kind.h"

namespace shopstream::lake {
namespace {

std::string DiskRemedy(int error) {
  switch (error) {
    case ENOSPC:
      return ": free some space on that disk, or point lake.uri to another";
    case EDQUOT:
      return ": the user's quota is used up; raise it or delete files";
    case EROFS:
      return ": mount the file system writable, or point lake.uri elsewhere";
    case EACCES:
    case EPERM:
      return ": give this user read and write permission on the lake's folder";
    case EMFILE:
    case ENFILE:
      return ": raise the limit of open files (ulimit -n)";
    case EXDEV:
      return ": the lake must be on one file system; mount the whole root there";
    case EIO:
      return ": the disk reports a fault; check the kernel's log";
    default:
      return "";
  }
}

// A full or read-only disk may be repaired while a program waits; retrying does not fix a
// permission or a wrong path.
ErrorKind KindOfError(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return ErrorKind::kRefused;
    case ENOENT:
      return ErrorKind::kGone;
    case EXDEV:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
      return ErrorKind::kInvalid;
    default:
      return ErrorKind::kUnavailable;
  }
}

}  // namespace

Status DiskError(const std::string& what, const std::string& full_path, int error) {
  return WithKind(KindOfError(error),
                  Status::IOError("cannot ", what, " ", full_path, ": ",
                                  std::generic_category().message(error), DiskRemedy(error)));
}

}  // namespace shopstream::lake
