#include "base/page_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "base/error_kind.h"

namespace shopstream {
namespace {

namespace fs = std::filesystem;

constexpr char kLockName[] = ".lock";

Status FileError(const std::string& what, const std::string& path, int error) {
  const std::string reason = std::generic_category().message(error);
  const Status status = Status::IOError("cannot ", what, " ", path, ": ", reason);
  switch (error) {
    case EACCES:
    case EPERM:
      return WithKind(ErrorKind::kRefused, status);
    case ENOENT:
      return WithKind(ErrorKind::kGone, status);
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
      return WithKind(ErrorKind::kInvalid, status);
    default:
      return WithKind(ErrorKind::kUnavailable, status);
  }
}

class DiskFile : public PageFile {
 public:
  DiskFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~DiskFile() override { ::close(fd_); }

  Status Read(int64_t offset, std::span<std::byte> into) override {
    while (!into.empty()) {
      const ssize_t got = ::pread(fd_, into.data(), into.size(), offset);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return FileError("read", path_, errno);
      if (got == 0) return Corrupt(path_, " ends before byte ", offset + std::ssize(into));
      offset += got;
      into = into.subspan(static_cast<size_t>(got));
    }
    return Status::OK();
  }

  Status Write(int64_t offset, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t put = ::pwrite(fd_, bytes.data(), bytes.size(), offset);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return FileError("write", path_, errno);
      offset += put;
      bytes = bytes.subspan(static_cast<size_t>(put));
    }
    return Status::OK();
  }

  Result<int64_t> Size() override {
    struct stat facts {};
    if (::fstat(fd_, &facts) != 0) return FileError("examine", path_, errno);
    return facts.st_size;
  }

  Status Sync() override {
    return ::fdatasync(fd_) == 0 ? Status::OK() : FileError("sync", path_, errno);
  }

 private:
  const int fd_;
  const std::string path_;
};

class DiskFolder : public PageFolder {
 public:
  DiskFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  ~DiskFolder() override { ::close(lock_); }

  Result<std::unique_ptr<PageFile>> Open(const std::string& name) override {
    const std::string path = path_ + "/" + name;
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return FileError("open", path, errno);
    return std::make_unique<DiskFile>(fd, path);
  }

  Result<bool> Has(const std::string& name) override {
    const std::string path = path_ + "/" + name;
    if (::access(path.c_str(), F_OK) == 0) return true;
    if (errno == ENOENT) return false;
    return FileError("look for", path, errno);
  }

  Status Remove(const std::string& name) override {
    const std::string path = path_ + "/" + name;
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) return Status::OK();
    return FileError("delete", path, errno);
  }

  Result<std::vector<Entry>> List() override {
    std::error_code error;
    std::vector<Entry> entries;
    for (fs::directory_iterator at(path_, error), end; !error && at != end; at.increment(error)) {
      std::error_code gone;
      const std::string name = at->path().filename();
      if (name == kLockName || !at->is_regular_file(gone)) continue;
      Entry entry{.name = name,
                  .bytes = static_cast<int64_t>(at->file_size(gone)),
                  .modified = at->last_write_time(gone).time_since_epoch().count()};
      if (!gone) entries.push_back(std::move(entry));
    }
    if (error) return FileError("list", path_, error.value());
    return entries;
  }

  Status Sync() override {
    const int fd = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return FileError("open", path_, errno);
    const int error = ::fsync(fd) == 0 ? 0 : errno;
    ::close(fd);
    return error == 0 ? Status::OK() : FileError("sync", path_, error);
  }

  Result<std::string> BootId() override {
    std::string id;
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    if (!std::getline(file, id)) return FileError("read", "the machine's boot id", EIO);
    return id;
  }

 private:
  const std::string path_;
  const int lock_;  // Closing it unlocks.
};

}  // namespace

Result<std::unique_ptr<PageFolder>> OpenPageFolder(const std::string& path) {
  std::error_code error;
  const bool is_new = fs::create_directories(path, error);
  if (error) return FileError("create", path, error.value());
  if (is_new && ::chmod(path.c_str(), 0700) != 0) return FileError("protect", path, errno);
  const std::string lock_path = path + "/" + kLockName;
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0) return FileError("open", lock_path, errno);
  auto folder = std::make_unique<DiskFolder>(path, lock);
  if (::flock(lock, LOCK_EX | LOCK_NB) == 0) return folder;
  if (errno == EWOULDBLOCK) return nullptr;
  return FileError("lock", lock_path, errno);
}

}  // namespace shopstream
