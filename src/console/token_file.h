#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

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
  explicit TokenFile(std::string path) : path_(std::move(path)), changes_({path_}) {}
  std::string Current();

  const std::string path_;
  std::mutex mutex_;
  FileChanges changes_;  // Guarded by mutex_, like all below.
  std::string token_;
};

}  // namespace shopstream::console
