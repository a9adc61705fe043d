#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_stamp.h"
#include "base/status.h"

namespace shopstream::console {

// The token of console.token_file. A file that is replaced or rewritten is in force from the next
// request on; if it is damaged, the token from before remains. Thread-safe.
class TokenFile {
 public:
  // An empty path: there is no token. Invalid: it is too short.
  static Result<std::unique_ptr<TokenFile>> Open(const std::string& path);

  bool exists() const { return !path_.empty(); }
  bool Is(std::string_view token);
  // Another text after the token has changed; it does not reveal the token.
  std::string Stamp();

 private:
  explicit TokenFile(std::string path) : path_(std::move(path)) {}
  std::string Current();

  const std::string path_;
  std::mutex mutex_;
  std::string token_;                // Guarded by mutex_, like all below.
  FileStamp stamp_;                  // Of the file that was read last.
  std::optional<FileStamp> warned_;  // Of one that cannot be used.
};

}  // namespace shopstream::console
