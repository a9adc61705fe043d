#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"

namespace shopstream::console {

// Who sends a request, and what the gate knows about that.
struct Caller {
  std::string who;  // The user's name, "token", or "" for somebody who has not signed in.
  bool may_change = false;

  bool operator==(const Caller&) const = default;
};

struct Session {
  Caller caller;
  BootClock::time_point expires;
  std::string stamp{};    // Of the user or the token by which it began: see Users::Stamp.
  bool by_token = false;  // A user may be named "token" too.
};

// Browsers that have signed in. A cookie holds the session's id, which scripts cannot read and
// other sites cannot send. Nothing survives a restart. Thread-safe.
class Sessions {
 public:
  static constexpr Millis kLifetime{12 * 3600 * 1000};
  static constexpr size_t kMost = 1000;  // Above it, the one that expires first ends.

  // The new session's id. Unavailable: the system gave no random bytes.
  Result<std::string> Begin(Caller caller, BootClock::time_point now, std::string stamp = "",
                            bool by_token = false);
  std::optional<Session> Find(std::string_view id, BootClock::time_point now);
  void End(std::string_view id);

 private:
  std::mutex mutex_;
  // By the SHA-256 of their ids, so that how long a look-up takes tells nothing about an id.
  std::map<std::string, Session> sessions_;  // Guarded by mutex_.
};

// The value of the cookie of this name in a Cookie header (RFC 6265); "" if there is none.
std::string CookieValue(std::string_view header, std::string_view name);

}  // namespace shopstream::console
