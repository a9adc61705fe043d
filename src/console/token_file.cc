#include "console/token_file.h"

#include <openssl/crypto.h>

#include <utility>

#include "base/log.h"
#include "base/read_file.h"
#include "base/sha256.h"

namespace shopstream::console {
namespace {

constexpr size_t kLeastTokenBytes = 16;
constexpr std::string_view kSpace = " \t\r\n";

Result<std::string> ReadToken(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(std::string text, ReadFile(path));
  text.erase(text.find_last_not_of(kSpace) + 1);
  text.erase(0, text.find_first_not_of(kSpace));
  if (text.size() < kLeastTokenBytes) {
    return Status::Invalid("console.token_file ", path, ": a token has at least ", kLeastTokenBytes,
                           " characters; `openssl rand -hex 32` makes one");
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<TokenFile>> TokenFile::Open(const std::string& path) {
  std::unique_ptr<TokenFile> opened(new TokenFile(path));
  if (!path.empty()) {
    ARROW_ASSIGN_OR_RAISE(opened->token_, ReadToken(path));
  }
  return opened;
}

std::string TokenFile::Current() {
  const std::lock_guard lock(mutex_);
  if (!changes_.Seen()) return token_;
  auto read = ReadToken(path_);
  if (read.ok()) {
    changes_.Take();
    token_ = *std::move(read);
    Log::Info("console.token_file: {} has changed", path_);
  } else if (changes_.IsNewFailure()) {
    Log::Warn("{}; the token from before remains", read.status().message());
  }
  return token_;
}

bool TokenFile::Is(std::string_view token) {
  if (!exists()) return false;
  const std::string wanted = Current();
  return token.size() == wanted.size() &&
         CRYPTO_memcmp(token.data(), wanted.data(), token.size()) == 0;
}

std::string TokenFile::Stamp() { return exists() ? Sha256(Current()) : ""; }

}  // namespace shopstream::console
