#include "console/sessions.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/sha256.h"

namespace shopstream::console {

Result<std::string> Sessions::Begin(Caller caller, BootClock::time_point now, std::string stamp,
                                    bool by_token) {
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return Unavailable("the system gave no random bytes");
  }
  std::string id = FormatHex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  const std::lock_guard lock(mutex_);
  std::erase_if(sessions_, [&](const auto& entry) { return entry.second.expires <= now; });
  if (sessions_.size() >= kMost) {
    sessions_.erase(std::ranges::min_element(
        sessions_, {}, [](const auto& entry) { return entry.second.expires; }));
  }
  sessions_.emplace(Sha256(id),
                    Session{std::move(caller), now + kLifetime, std::move(stamp), by_token});
  return id;
}

std::optional<Session> Sessions::Find(std::string_view id, BootClock::time_point now) {
  if (id.empty()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(Sha256(id));
  if (found == sessions_.end() || found->second.expires <= now) return std::nullopt;
  return found->second;
}

void Sessions::End(std::string_view id) {
  const std::lock_guard lock(mutex_);
  sessions_.erase(Sha256(id));
}

std::string CookieValue(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const size_t end = std::min(header.find(';'), header.size());
    std::string_view pair = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
    return std::string(pair.substr(equals + 1));
  }
  return "";
}

}  // namespace shopstream::console
