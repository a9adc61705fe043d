#include "base/users.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <mutex>
#include <shared_mutex>
#include <sstream>
#include <utility>
#include <vector>

#include "base/error_kind.h"
#include "base/file_stamp.h"
#include "base/log.h"
#include "base/sha256.h"

namespace shopstream {
namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

// Longer credentials are refused, because the cost of hashing grows with length.
constexpr size_t kMaxCredentials = 512;
constexpr size_t kMaxRemembered = 10'000;

struct User {
  std::string hash;
  Role role = Role::kReader;
};

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// Nothing if the system does not support the hash.
std::optional<std::string> Crypt(const std::string& password, const std::string& setting) {
  auto scratch = std::make_unique<crypt_data>();
  const char* hash = crypt_r(password.c_str(), setting.c_str(), scratch.get());
  if (hash == nullptr || hash[0] == '*') return std::nullopt;
  return std::string(hash);
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0 || text.empty()) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  const auto padding = static_cast<size_t>(std::count(text.end() - 2, text.end(), '='));
  out.resize(static_cast<size_t>(size) - padding);
  return out;
}

// "name:password"; nothing: the text has another form.
std::optional<std::string> CredentialsIn(std::string_view authorization) {
  constexpr std::string_view kBasic = "Basic ";
  if (!authorization.starts_with(kBasic) || authorization.size() > kMaxCredentials) {
    return std::nullopt;
  }
  auto credentials = DecodeBase64(authorization.substr(kBasic.size()));
  const bool usable = credentials.has_value() && credentials->find(':') != std::string::npos &&
                      credentials->find('\0') == std::string::npos;
  return usable ? credentials : std::nullopt;
}

std::vector<std::string> SplitFields(std::string_view line) {
  std::vector<std::string> fields;
  while (true) {
    const size_t end = line.find(':');
    fields.emplace_back(line.substr(0, end));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

// The users in one state of the file.
struct UserTable {
  std::map<std::string, User, std::less<>> users;
  // The hash against which an unknown user's password is checked.
  std::string decoy;
  // Salted digests of verified credentials, since hashing deliberately takes many milliseconds.
  std::array<unsigned char, 32> salt{};
  std::shared_mutex mutex;
  std::map<Digest, Role> remembered;

  Digest DigestOf(const std::string& credentials) const {
    std::string salted(reinterpret_cast<const char*>(salt.data()), salt.size());
    salted += credentials;
    Digest digest;
    SHA256(reinterpret_cast<const unsigned char*>(salted.data()), salted.size(), digest.data());
    return digest;
  }
  std::optional<Role> Remembered(const Digest& digest) {
    const std::shared_lock lock(mutex);
    const auto known = remembered.find(digest);
    return known == remembered.end() ? std::nullopt : std::optional(known->second);
  }
  void Remember(const Digest& digest, Role role) {
    const std::unique_lock lock(mutex);
    if (remembered.size() >= kMaxRemembered) remembered.clear();
    remembered[digest] = role;
  }
};

using SharedTable = std::shared_ptr<UserTable>;

Result<SharedTable> ParseTable(std::string_view text) {
  auto table = std::make_shared<UserTable>();
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    line = line.substr(0, line.find('#'));
    line.erase(
        std::find_if(line.rbegin(), line.rend(), [](unsigned char c) { return !std::isspace(c); })
            .base(),
        line.end());
    if (line.empty()) continue;
    const std::vector<std::string> fields = SplitFields(line);
    const bool role_known = fields.size() == 3 && (fields[2] == "reader" || fields[2] == "writer");
    if (!role_known || fields[0].empty()) {
      return Status::Invalid("line ", number, " is not name:hash:reader or name:hash:writer");
    }
    if (!Crypt("", fields[1]).has_value() || !fields[1].starts_with("$")) {
      return Status::Invalid("line ", number, ": the hash of ", fields[0],
                             " is not known to crypt(3): create one with `openssl passwd -6`");
    }
    const Role role = fields[2] == "writer" ? Role::kWriter : Role::kReader;
    if (!table->users.insert({fields[0], {fields[1], role}}).second) {
      return Status::Invalid("line ", number, ": user ", fields[0], " occurs twice");
    }
  }
  if (table->users.empty()) return Status::Invalid("there are no users in it");
  table->decoy = table->users.begin()->second.hash;
  if (RAND_bytes(table->salt.data(), static_cast<int>(table->salt.size())) != 1) {
    return Unavailable("the system gave no random bytes");
  }
  return table;
}

Result<SharedTable> ReadTable(const std::string& path, const std::string& setting) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || !text) {
    return Gone("cannot read ", setting, " ", path,
                ": name a file with lines name:hash:reader or name:hash:writer");
  }
  auto table = ParseTable(text.str());
  if (!table.ok()) return Status::Invalid(path, ": ", table.status().message());
  return table;
}

}  // namespace

struct Users::Impl {
  std::string path, named_by;  // The file and its setting; empty: the users are not from a file.
  std::mutex reading;
  FileChanges changes{{}};  // Guarded by reading.
  std::mutex mutex;
  SharedTable table;  // Guarded by mutex.
  // One hash at a time: guesses must not use up all processors.
  std::mutex hashing;
  std::atomic<int> in_hashing{0};  // One hashes, the others wait.

  // Crypt; Unavailable: too many wait.
  Result<std::optional<std::string>> Hash(const std::string& password, const std::string& setting) {
    struct Place {
      explicit Place(std::atomic<int>* given) : count(given), before((*given)++) {}
      ~Place() { --*count; }
      std::atomic<int>* const count;
      const int before;
    } const place(&in_hashing);
    if (place.before > kMostWaiting) {
      return Unavailable("too many sign-ins at the same time: try again");
    }
    const std::lock_guard lock(hashing);
    return Crypt(password, setting);
  }

  // The users of the file as it is now.
  SharedTable Current() {
    if (!path.empty()) Refresh();
    const std::lock_guard lock(mutex);
    return table;
  }

  // Requests that arrive while another one reads the file are answered by the users from before.
  void Refresh() {
    const std::unique_lock reader(reading, std::try_to_lock);
    if (!reader.owns_lock()) return;
    if (!changes.Seen()) return;
    auto read = ReadTable(path, named_by);
    // Damaged lines are parsed once, because it takes long; what cannot be read is tried again.
    if (read.ok() || read.status().IsInvalid()) changes.Take();
    if (!read.ok()) {
      if (!changes.IsNewFailure()) return;
      Log::Warn("{}: {}; the users from before remain", named_by, read.status().message());
      return;
    }
    Log::Info("{}: {} has changed: {} users", named_by, path, (*read)->users.size());
    const std::lock_guard lock(mutex);
    table = *std::move(read);
  }
};

Users::Users() = default;
Users::~Users() = default;
Users::Users(Users&&) noexcept = default;
Users& Users::operator=(Users&&) noexcept = default;

Result<Users> Users::Read(const std::string& path, const std::string& setting) {
  Users users;
  users.impl_ = std::make_unique<Impl>();
  users.impl_->changes = FileChanges({path});
  ARROW_ASSIGN_OR_RAISE(users.impl_->table, ReadTable(path, setting));
  users.impl_->path = path;
  users.impl_->named_by = setting;
  return users;
}

Result<Users> Users::Parse(std::string_view text) {
  Users users;
  users.impl_ = std::make_unique<Impl>();
  ARROW_ASSIGN_OR_RAISE(users.impl_->table, ParseTable(text));
  return users;
}

std::string Users::Stamp(const std::string& name) const {
  if (anyone()) return "";
  const SharedTable table = impl_->Current();
  const auto user = table->users.find(name);
  if (user == table->users.end()) return "";
  return Sha256(user->second.hash + (user->second.role == Role::kWriter ? ":writer" : ":reader"));
}

std::string Users::NameIn(std::string_view authorization) {
  const auto credentials = CredentialsIn(authorization);
  return credentials ? credentials->substr(0, credentials->find(':')) : "";
}

Result<std::optional<Role>> Users::Authenticate(std::string_view authorization) const {
  const std::optional<Role> nobody;
  const auto credentials = CredentialsIn(authorization);
  if (!credentials.has_value()) return nobody;
  const SharedTable table = impl_->Current();
  const size_t colon = credentials->find(':');
  const Digest digest = table->DigestOf(*credentials);
  if (const auto role = table->Remembered(digest)) return role;
  const auto user = table->users.find(credentials->substr(0, colon));
  const bool known = user != table->users.end();
  const std::string& wanted = known ? user->second.hash : table->decoy;
  ARROW_ASSIGN_OR_RAISE(const auto hash, impl_->Hash(credentials->substr(colon + 1), wanted));
  if (!hash.has_value() || !EqualInConstantTime(*hash, wanted) || !known) return nobody;
  table->Remember(digest, user->second.role);
  return std::optional(user->second.role);
}

}  // namespace shopstream
