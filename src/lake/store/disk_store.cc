#include "lake/store/disk_store.h"

#include <arrow/io/file.h>
#include <arrow/util/io_util.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include "base/error_kind.h"
#include "base/log.h"
#include "lake/store/disk_error.h"
#include "lake/store/store_input.h"
#include "lake/store/uuid.h"

namespace shopstream::lake {
namespace {

constexpr char kTemporaryFolder[] = ".tmp";
// An unlocked temporary file belongs to a dead writer; younger ones are kept, since a writer locks
// its file a moment after creating it.
constexpr std::chrono::minutes kTemporaryFileMinAge{10};

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

struct DirCloser {
  void operator()(DIR* dir) const { ::closedir(dir); }
};
using DirHandle = std::unique_ptr<DIR, DirCloser>;

Status WriteAll(int fd, const uint8_t* data, int64_t left, const std::string& full_path) {
  while (left > 0) {
    const ssize_t written = ::write(fd, data, static_cast<size_t>(left));
    if (written < 0) {
      if (errno == EINTR) continue;
      return DiskError("write", full_path, errno);
    }
    data += written;
    left -= written;
  }
  return Status::OK();
}

Status FlushFolder(const std::string& full_path) {
  const Descriptor folder(::open(full_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.ok()) return DiskError("open folder", full_path, errno);
  if (::fsync(folder.get()) != 0) return DiskError("flush folder", full_path, errno);
  return Status::OK();
}

std::string ParentOf(const std::string& full_path) {
  const size_t slash = full_path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : full_path.substr(0, slash);
}

// Refuses paths that could leave the root or collide with the temporary files.
Status CheckPath(const std::string& path) {
  bool good = !path.empty() && path.find('\0') == std::string::npos;
  for (size_t begin = 0; good && begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = std::string_view(path).substr(begin, end - begin);
    good = !part.empty() && part != "." && part != ".." && (begin > 0 || part != kTemporaryFolder);
    begin = end + 1;
  }
  if (good) return Status::OK();
  return Status::Invalid("'", path, "' is not a path inside the lake");
}

int64_t ModifiedMillis(const struct stat& info) {
  return static_cast<int64_t>(info.st_mtim.tv_sec) * 1000 + info.st_mtim.tv_nsec / 1000000;
}

// Collects the files below `folder` (relative, "" or ending in '/').
class Lister {
 public:
  Lister(const std::string& root, const std::string& prefix, const std::string& after)
      : root_(root), prefix_(prefix), after_(after) {}

  Status Walk(const std::string& folder) {
    const std::string full_path = root_ + "/" + folder;
    const DirHandle dir(::opendir(full_path.c_str()));
    if (!dir) {
      // Deleted meanwhile, or never existed: no objects.
      if (errno == ENOENT || errno == ENOTDIR) return Status::OK();
      return DiskError("list", full_path, errno);
    }
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(dir.get());
      if (entry == nullptr) {
        return errno == 0 ? Status::OK() : DiskError("list", full_path, errno);
      }
      const std::string name = entry->d_name;
      if (name == "." || name == ".." || (folder.empty() && name == kTemporaryFolder)) continue;
      ARROW_RETURN_NOT_OK(Visit(::dirfd(dir.get()), folder + name, entry));
    }
  }

  std::vector<ObjectEntry> Finish() && {
    std::sort(entries_.begin(), entries_.end(),
              [](const ObjectEntry& a, const ObjectEntry& b) { return a.path < b.path; });
    return std::move(entries_);
  }

 private:
  Status Visit(int dir_fd, const std::string& path, const dirent* entry) {
    const bool may_be_folder = entry->d_type != DT_REG;
    if (!may_be_folder && (!path.starts_with(prefix_) || path <= after_)) return Status::OK();
    struct stat info;
    if (::fstatat(dir_fd, entry->d_name, &info, 0) != 0) {
      return errno == ENOENT ? Status::OK() : DiskError("access", root_ + "/" + path, errno);
    }
    if (S_ISDIR(info.st_mode)) {
      const std::string inside = path + "/";
      const bool matches = inside.starts_with(prefix_) || prefix_.starts_with(inside);
      // Every path inside begins with `inside`; all are skipped if `after_` sorts after all of
      // them.
      const bool passed = inside < after_ && !after_.starts_with(inside);
      return matches && !passed ? Walk(inside) : Status::OK();
    }
    if (S_ISREG(info.st_mode) && path.starts_with(prefix_) && path > after_) {
      entries_.push_back({path, info.st_size, ModifiedMillis(info)});
    }
    return Status::OK();
  }

  const std::string& root_;
  const std::string& prefix_;
  const std::string& after_;
  std::vector<ObjectEntry> entries_;
};

}  // namespace

// A file in <root>/.tmp, locked while its writer lives, unlinked when this object is destroyed.
class DiskStore::TemporaryFile {
 public:
  static Result<std::unique_ptr<TemporaryFile>> Create(const std::string& folder) {
    const std::string full_path = folder + "/" + NewUuid();
    const int fd =
        ::open(full_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666 /* & ~umask */);
    if (fd < 0) return DiskError("create", full_path, errno);
    auto file = std::unique_ptr<TemporaryFile>(new TemporaryFile(full_path, fd));
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) return DiskError("lock", full_path, errno);
    return file;
  }
  ~TemporaryFile() {
    if (!renamed_) ::unlink(path_.c_str());
  }

  Status Append(const void* data, int64_t size) {
    return WriteAll(fd_.get(), static_cast<const uint8_t*>(data), size, path_);
  }
  Status Flush() {
    if (::fsync(fd_.get()) != 0) return DiskError("flush", path_, errno);
    return Status::OK();
  }
  Result<int64_t> Modified() const {
    struct stat info;
    if (::fstat(fd_.get(), &info) != 0) return DiskError("access", path_, errno);
    return ModifiedMillis(info);
  }
  // 0, or errno.
  int RenameTo(const std::string& target) {
    if (::rename(path_.c_str(), target.c_str()) != 0) return errno;
    renamed_ = true;
    return 0;
  }
  int LinkAs(const std::string& target) const {
    return ::link(path_.c_str(), target.c_str()) == 0 ? 0 : errno;
  }

 private:
  TemporaryFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  const std::string path_;
  const Descriptor fd_;
  bool renamed_ = false;
};

// Writes into a temporary file, which gets its final name at Close.
class DiskStore::Output : public arrow::io::OutputStream {
 public:
  Output(DiskStore* store, std::string path, std::unique_ptr<TemporaryFile> file)
      : store_(store), path_(std::move(path)), file_(std::move(file)) {}

  using OutputStream::Write;
  Status Write(const void* data, int64_t size) override {
    if (file_ == nullptr) return Status::Invalid("write to ", path_, ", which is closed");
    const Status status = file_->Append(data, size);
    if (!status.ok()) file_.reset();  // A gap inside must never be published.
    position_ += size;
    return status;
  }
  Status Close() override {
    if (closed_) return Status::OK();
    closed_ = true;
    if (file_ == nullptr) return Unavailable(path_, " was not written: a write to it failed");
    const auto file = std::move(file_);
    ARROW_RETURN_NOT_OK(file->Flush());
    return store_->Publish(file.get(), path_, /*replace=*/true).status();
  }
  Status Abort() override {
    closed_ = true;
    file_.reset();
    return Status::OK();
  }
  bool closed() const override { return closed_; }
  Result<int64_t> Tell() const override { return position_; }

 private:
  DiskStore* const store_;
  const std::string path_;
  std::unique_ptr<TemporaryFile> file_;  // Null once closed, aborted or failed.
  int64_t position_ = 0;
  bool closed_ = false;
};

Result<std::unique_ptr<ObjectStore>> DiskStore::Open(const std::string& root,
                                                     const std::string& described_as) {
  std::error_code error;
  std::string absolute = std::filesystem::absolute(root, error).lexically_normal().string();
  if (error) return DiskError("resolve", root, error.value());
  while (absolute.size() > 1 && absolute.ends_with('/')) absolute.pop_back();
  if (std::filesystem::exists(absolute, error) && !std::filesystem::is_directory(absolute, error)) {
    return Status::Invalid("lake.uri: ", absolute, " is a file: name a folder");
  }
  // A relative path is only clear to those who know where the program was started.
  auto store = std::unique_ptr<DiskStore>(
      new DiskStore(absolute, described_as == root ? absolute : described_as));
  // Not required here; an obstacle such as a read-only disk shows up at the first write.
  const auto removed = store->RemoveAbandonedWrites(kTemporaryFileMinAge);
  if (!removed.ok()) Log::Debug("{}", removed.status().message());
  return store;
}

int DiskStore::ParallelPuts() const {
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 4);
}

Result<std::shared_ptr<arrow::Buffer>> DiskStore::Get(const std::string& path) {
  ARROW_RETURN_NOT_OK(CheckPath(path));
  const std::string full_path = FullPath(path);
  const Descriptor file(::open(full_path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok()) {
    if (errno == ENOENT || errno == ENOTDIR) return std::shared_ptr<arrow::Buffer>();
    return DiskError("open", full_path, errno);
  }
  struct stat info;
  if (::fstat(file.get(), &info) != 0) return DiskError("access", full_path, errno);
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateBuffer(info.st_size));
  for (int64_t done = 0; done < info.st_size;) {
    const ssize_t got =
        ::read(file.get(), buffer->mutable_data() + done, static_cast<size_t>(info.st_size - done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return DiskError("read", full_path, errno);
    if (got == 0) return Unavailable(full_path, " shrank while it was read: read it again");
    done += got;
  }
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> DiskStore::OpenInput(const std::string& path) {
  ARROW_RETURN_NOT_OK(CheckPath(path));
  const std::string full_path = FullPath(path);
  const auto failure = [full_path](const Status& status) {
    const int error = arrow::internal::ErrnoFromStatus(status);
    if (error != 0) return DiskError("read", full_path, error);
    return Unavailable("cannot read ", full_path, ": ", status.message());
  };
  auto file = arrow::io::ReadableFile::Open(full_path);
  if (!file.ok()) return failure(file.status());
  return MakeStoreInput(*std::move(file), failure);
}

Status DiskStore::Put(const std::string& path, const arrow::Buffer& content) {
  ARROW_RETURN_NOT_OK(CheckPath(path));
  ARROW_ASSIGN_OR_RAISE(const auto file, WriteTemporary(content));
  return Publish(file.get(), path, /*replace=*/true).status();
}

Result<std::shared_ptr<arrow::io::OutputStream>> DiskStore::OpenOutput(const std::string& path) {
  ARROW_RETURN_NOT_OK(CheckPath(path));
  ARROW_ASSIGN_OR_RAISE(auto file, CreateTemporary());
  return std::make_shared<Output>(this, path, std::move(file));
}

Result<PutOutcome> DiskStore::PutIfAbsent(const std::string& path, const arrow::Buffer& content) {
  ARROW_RETURN_NOT_OK(CheckPath(path));
  ARROW_ASSIGN_OR_RAISE(const auto file, WriteTemporary(content));
  return Publish(file.get(), path, /*replace=*/false);
}

Result<std::unique_ptr<DiskStore::TemporaryFile>> DiskStore::CreateTemporary() {
  const std::string folder = FullPath(kTemporaryFolder);
  struct stat info;
  if (::stat(folder.c_str(), &info) != 0) ForgetFolder(folder);  // Someone cleared the lake.
  ARROW_RETURN_NOT_OK(MakeFolder(folder));
  return TemporaryFile::Create(folder);
}

Result<std::unique_ptr<DiskStore::TemporaryFile>> DiskStore::WriteTemporary(
    const arrow::Buffer& content) {
  ARROW_ASSIGN_OR_RAISE(auto file, CreateTemporary());
  ARROW_RETURN_NOT_OK(file->Append(content.data(), content.size()));
  ARROW_RETURN_NOT_OK(file->Flush());
  return file;
}

Result<PutOutcome> DiskStore::Publish(TemporaryFile* file, const std::string& path, bool replace) {
  const std::string target = FullPath(path);
  const std::string folder = ParentOf(target);
  for (int attempt = 0;; ++attempt) {
    ARROW_RETURN_NOT_OK(MakeFolder(folder));
    const int error = replace ? file->RenameTo(target) : file->LinkAs(target);
    if (error == ENOENT && attempt == 0) {
      ForgetFolder(folder);  // Someone removed it since we made it.
      continue;
    }
    if (error != 0 && error != EEXIST) return DiskError("create", target, error);
    // Also if another's object exists: whatever builds on seeing it must not outlive it.
    ARROW_RETURN_NOT_OK(FlushFolder(folder));
    return error == 0 ? PutOutcome::kCreated : PutOutcome::kExists;
  }
}

Status DiskStore::MakeFolder(const std::string& full_path) {
  if (full_path == "/") return Status::OK();
  {
    const std::lock_guard lock(mutex_);
    if (durable_folders_.contains(full_path)) return Status::OK();
  }
  const std::string parent = ParentOf(full_path);
  // Another thread may have made the parent and not flushed it yet.
  if (parent.size() >= root_.size()) ARROW_RETURN_NOT_OK(MakeFolder(parent));
  if (::mkdir(full_path.c_str(), 0777 /* & ~umask */) != 0 && errno != EEXIST) {
    if (errno != ENOENT) return DiskError("create folder", full_path, errno);
    ForgetFolder(parent);
    ARROW_RETURN_NOT_OK(MakeFolder(parent));
    if (::mkdir(full_path.c_str(), 0777) != 0 && errno != EEXIST) {
      return DiskError("create folder", full_path, errno);
    }
  }
  // An existing one may be another process's and not flushed yet; above the root it is not ours to
  // flush.
  if (full_path.size() >= root_.size()) ARROW_RETURN_NOT_OK(FlushFolder(parent));
  const std::lock_guard lock(mutex_);
  durable_folders_.insert(full_path);
  return Status::OK();
}

void DiskStore::ForgetFolder(const std::string& full_path) {
  const std::lock_guard lock(mutex_);
  for (std::string folder = full_path; folder.size() >= root_.size() && folder != "/";
       folder = ParentOf(folder)) {
    durable_folders_.erase(folder);
  }
}

Result<std::vector<ObjectEntry>> DiskStore::List(const std::string& prefix,
                                                 const std::string& after) {
  const size_t slash = prefix.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : prefix.substr(0, slash + 1);
  if (!folder.empty()) ARROW_RETURN_NOT_OK(CheckPath(folder.substr(0, folder.size() - 1)));
  Lister lister(root_, prefix, after);
  ARROW_RETURN_NOT_OK(lister.Walk(folder));
  return std::move(lister).Finish();
}

Result<std::vector<std::string>> DiskStore::ListFolders(const std::string& folder) {
  if (!folder.empty()) ARROW_RETURN_NOT_OK(CheckPath(folder));
  const std::string full_path = folder.empty() ? root_ : FullPath(folder);
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(full_path, error);
  if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory) {
    return names;
  }
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::string name = entry->path().filename().string();
    std::error_code gone;  // An entry deleted meanwhile is not a folder.
    if (entry->is_directory(gone) && !(folder.empty() && name == kTemporaryFolder)) {
      names.push_back(std::move(name));
    }
  }
  if (error) return DiskError("list", full_path, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

Status DiskStore::Delete(const std::string& path) {
  ARROW_RETURN_NOT_OK(CheckPath(path));
  const std::string full_path = FullPath(path);
  if (::unlink(full_path.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR) {
    return DiskError("delete", full_path, errno);
  }
  return Status::OK();
}

Result<int64_t> DiskStore::Now() {
  ARROW_ASSIGN_OR_RAISE(const auto file, CreateTemporary());
  return file->Modified();
}

Result<int64_t> DiskStore::RemoveAbandonedWrites(std::chrono::milliseconds min_age) {
  const std::string folder = FullPath(kTemporaryFolder);
  const DirHandle dir(::opendir(folder.c_str()));
  if (!dir && errno == ENOENT) return 0;  // Nobody has written here yet.
  if (!dir) return DiskError("list", folder, errno);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(dir.get())) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  if (names.empty()) return 0;
  ARROW_ASSIGN_OR_RAISE(const int64_t now_ms, Now());
  int64_t removed = 0;
  for (const std::string& name : names) {
    const Descriptor file(
        ::openat(::dirfd(dir.get()), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    struct stat info;
    if (!file.ok() || ::fstat(file.get(), &info) != 0) continue;  // Renamed or removed meanwhile.
    const bool old = ModifiedMillis(info) + min_age.count() < now_ms;
    // A live writer, even a suspended one, holds the lock.
    if (!old || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;
    if (::unlinkat(::dirfd(dir.get()), name.c_str(), 0) != 0) {
      if (errno == ENOENT) continue;
      return DiskError("delete", folder + "/" + name, errno);
    }
    ++removed;
    Log::Info("removed {}/{}, left by a dead writer", folder, name);
  }
  return removed;
}

}  // namespace shopstream::lake
