#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/http_message.h"
#include "base/status.h"
#include "base/users.h"
#include "console/sessions.h"
#include "console/token_file.h"

namespace shopstream::console {

// Decides which requests are let in, and who may make changes. Everything passes it, so no handler
// checks anything itself. Thread-safe.
//
// A page of another site could make the user's browser send requests here. It cannot forge the
// headers Host, Origin and Sec-Fetch-Site, which the browser sets:
// - A name that resolves to this machine only because an attacker says so (DNS rebinding) is not an
//   allowed Host.
// - A request to the API that another site causes (CSRF) names that site.
class Gate {
 public:
  // Invalid: console.allow_changes without a token or users; a token that is too short; a bad file
  // of users.
  static Result<std::unique_ptr<Gate>> Open(const ConsoleConfig& config);

  // A request's head. A reply: it is refused with that.
  std::optional<HttpReply> Check(const HttpRequest& head);
  // Whoever sends a request that was let in.
  Caller Identify(const HttpRequest& request);
  // Whether a request that was let in would still be, for a reply that does not end. Null: the
  // console lets everybody in. The gate must outlive it.
  std::function<bool()> Permission(const HttpRequest& request);
  // OK, or why this caller may make no change; names the remedy.
  Status MayChange(const Caller& caller) const;

  // Begins a session for {"token": ...} or {"user": ..., "password": ...}: the value of Set-Cookie.
  // Refused: the token, or the user or password, is wrong. Unavailable: too many sign in at the
  // same time.
  Result<std::string> SignIn(const nlohmann::json& body, Caller* caller);
  // Ends the request's session: the value of Set-Cookie.
  std::string SignOut(const HttpRequest& request);

  bool allow_changes() const { return config_.allow_changes; }
  bool needs_login() const { return !users_.anyone(); }

 private:
  Gate(const ConsoleConfig& config, std::unique_ptr<TokenFile> token, Users users);

  bool IsAllowedHost(std::string_view host_header) const;
  std::optional<HttpReply> CheckOrigin(const HttpRequest& head) const;
  // Nothing: it is nobody's. Unavailable: too many sign in at the same time.
  Result<std::optional<Caller>> FromAuthorization(const std::string& authorization) const;
  // By a header or a session; nothing: somebody who has not signed in.
  Result<std::optional<Caller>> Find(const HttpRequest& request);
  // A session lasts only while what it began with is in force: the user's line in the file, or the
  // token.
  std::optional<Caller> FromSession(std::string_view id);
  std::string StampOf(const std::string& who, bool by_token) const;
  std::optional<HttpReply> CheckSignedIn(const HttpRequest& head);
  Caller CallerOf(const std::string& user, Role role) const;
  std::string Cookie(std::string_view id, int64_t seconds) const;

  const ConsoleConfig config_;
  const std::unique_ptr<TokenFile> token_;
  const Users users_;
  std::vector<std::string> hosts_;
  bool any_address_ = false;  // It listens on all addresses, so any of them may be its Host.
  Sessions sessions_;
};

}  // namespace shopstream::console
