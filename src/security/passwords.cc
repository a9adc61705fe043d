#include "security/passwords.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "base/read_file.h"
#include "base/secret_files.h"

namespace shopstream::security {
namespace {

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr size_t kLength = 32;

Status Failed(const std::string& what, const std::string& path) {
  return Status::IOError("cannot ", what, " ", path, ": ", std::strerror(errno));
}

Result<std::string> RandomPassword() {
  std::array<unsigned char, kLength> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return Failed("read", "random bytes");
  }
  std::string password;
  for (const unsigned char byte : bytes) password += kLetters[byte % kLetters.size()];
  return password;
}

Status WriteAll(int file, const std::string& text, const std::string& path) {
  const ssize_t written = write(file, text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size()) || fsync(file) != 0) {
    return Failed("write", path);
  }
  return Status::OK();
}

// A complete file appears, or none; it replaces none.
Status Publish(const std::string& path, const std::string& text) {
  std::string draft = path + ".XXXXXX";
  const int file = mkostemp(draft.data(), O_CLOEXEC);  // With mode 0600.
  if (file < 0) return Failed("create a file beside", path);
  Status done = WriteAll(file, text, draft);
  close(file);
  if (done.ok() && link(draft.c_str(), path.c_str()) != 0 && errno != EEXIST) {
    done = Failed("create", path);
  }
  unlink(draft.c_str());
  return done;
}

}  // namespace

std::string Passwords::PathOf(const std::string& user) const {
  return std::filesystem::path(folder_) / (user + ".password");
}

Result<std::optional<std::string>> Passwords::Find(const std::string& user) const {
  const std::string path = PathOf(user);
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT) return std::nullopt;
    return Failed("read", path);
  }
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Status::Invalid(
        path, " has a password, and others than its owner may read it: ", "chmod 600 ", path);
  }
  HideMemory();
  ARROW_ASSIGN_OR_RAISE(std::string password, ReadFile(path));
  while (password.ends_with('\n') || password.ends_with('\r')) password.pop_back();
  if (password.empty()) {
    return Status::Invalid(path, " has no password: write one, or remove the file");
  }
  Log::Hide({password});
  return password;
}

Result<std::string> Passwords::Create(const std::string& user) const {
  std::error_code failure;
  const bool is_new = std::filesystem::create_directories(folder_, failure);
  if (failure) return Status::IOError("cannot create ", folder_, ": ", failure.message());
  if (is_new && chmod(folder_.c_str(), S_IRWXU) != 0) return Failed("protect", folder_);
  HideMemory();
  ARROW_ASSIGN_OR_RAISE(const std::string password, RandomPassword());
  Log::Hide({password});
  ARROW_RETURN_NOT_OK(Publish(PathOf(user), password));
  ARROW_ASSIGN_OR_RAISE(auto stored, Find(user));
  if (!stored) return Status::IOError(PathOf(user), " was removed as soon as it was written");
  return *std::move(stored);
}

}  // namespace shopstream::security
