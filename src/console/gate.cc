#include "console/gate.h"

#include <arpa/inet.h>
#include <arrow/util/base64.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/error_kind.h"
#include "base/http_router.h"
#include "base/json.h"
#include "base/listen_address.h"
#include "console/reply.h"

namespace shopstream::console {
namespace {

constexpr char kCookie[] = "shopstream_session";
constexpr char kTokenCaller[] = "token";
constexpr size_t kMostCredentialBytes = 256;
constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kBasic = "Basic ";

std::string Trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

// "localhost" of "localhost:8080", "::1" of "[::1]:8080", in lower case.
std::string HostOf(std::string_view host_header) {
  std::string host(host_header);
  std::ranges::transform(host, host.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

bool IsAddress(const std::string& host) {
  in6_addr parsed{};
  return inet_pton(AF_INET, host.c_str(), &parsed) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

// The router finds a route by the parts of a path, so the gate decides by them too. One spelling of
// each path is enough: others are refused.
using PathParts = std::vector<std::string>;

bool IsPlainPath(std::string_view raw_path) {
  return raw_path.starts_with('/') && raw_path.find("//") == std::string_view::npos &&
         (raw_path == "/" || !raw_path.ends_with('/'));
}
bool IsApi(const PathParts& parts) { return !parts.empty() && parts[0] == "api"; }
bool IsSessionRoute(const PathParts& parts) {
  return parts == PathParts{"api", "session"} || parts == PathParts{"api", "session", "end"};
}
// An orchestrator knows neither a host's name nor a user, and learns nothing but "alive".
bool IsProbe(const HttpRequest& head) {
  return head.raw_path == "/livez" || head.raw_path == "/readyz";
}

bool LeadsElsewhere(const HttpRequest& head) {
  return head.path.find("/../") != std::string::npos || head.path.ends_with("/..") ||
         head.path.find('\\') != std::string::npos || head.path.find('\0') != std::string::npos;
}

}  // namespace

Result<std::unique_ptr<Gate>> Gate::Open(const ConsoleConfig& config) {
  ARROW_ASSIGN_OR_RAISE(auto token, TokenFile::Open(config.token_file));
  Users users;
  if (!config.users.empty()) {
    ARROW_ASSIGN_OR_RAISE(users, Users::Read(config.users, "console.users"));
  }
  if (config.allow_changes && !token->exists() && users.anyone()) {
    return Status::Invalid(
        "console.allow_changes needs to know who may make changes: name a file with a token in "
        "console.token_file (`openssl rand -hex 32` makes one), or one with users in "
        "console.users");
  }
  if (config.tls_certificate.empty() != config.tls_key.empty()) {
    return Status::Invalid(
        "console.tls.certificate and console.tls.key go together: set both, or none");
  }
  return std::unique_ptr<Gate>(new Gate(config, std::move(token), std::move(users)));
}

Gate::Gate(const ConsoleConfig& config, std::unique_ptr<TokenFile> token, Users users)
    : config_(config), token_(std::move(token)), users_(std::move(users)) {
  hosts_ = {"localhost", "127.0.0.1", "::1"};
  const std::string listen = HostOf(config.listen);
  any_address_ = listen == "0.0.0.0" || listen == "::";
  if (!any_address_) hosts_.push_back(listen);
  for (const std::string& host : config.hosts) hosts_.push_back(HostOf(host));
}

bool Gate::IsAllowedHost(std::string_view host_header) const {
  const std::string host = HostOf(host_header);
  if (std::ranges::find(hosts_, host) != hosts_.end()) return true;
  return any_address_ && IsAddress(host);  // No name, so nobody's DNS could have chosen it.
}

std::optional<HttpReply> Gate::CheckOrigin(const HttpRequest& head) const {
  const std::string site = head.header("Sec-Fetch-Site");
  const std::string origin = head.header("Origin");
  const bool foreign_site = !site.empty() && site != "same-origin" && site != "none";
  const size_t scheme = origin.find("://");
  const bool foreign_origin = !origin.empty() && (scheme == std::string::npos ||
                                                  origin.substr(scheme + 3) != head.header("Host"));
  if (!foreign_site && !foreign_origin) return std::nullopt;
  return ErrorReply(403, "refused",
                    "a page of another site asked for this; the console answers only its own");
}

std::optional<HttpReply> Gate::Check(const HttpRequest& head) {
  if (!IsPlainPath(head.raw_path)) {
    return ErrorReply(400, "invalid", "a path begins with one '/', and no part of it is empty");
  }
  if (IsProbe(head)) return std::nullopt;
  const std::string host = head.header("Host");
  if (!IsAllowedHost(host)) {
    return ErrorReply(
        421, "refused",
        fmt::format("the console is not known as '{}': add the name to console.hosts", host));
  }
  if (LeadsElsewhere(head)) return ErrorReply(400, "invalid", "the path leads out of the console");
  const PathParts parts = SplitPath(head.raw_path);
  if (!IsApi(parts)) {
    if (parts != PathParts{"metrics"}) return std::nullopt;
    auto refusal = CheckSignedIn(head);
    if (refusal.has_value() && refusal->status == 401) {
      refusal->headers.emplace_back("WWW-Authenticate", "Basic realm=\"ShopStream\"");
    }
    return refusal;
  }
  if (auto refusal = CheckOrigin(head)) return refusal;
  // A form of another site cannot send this type without asking first.
  if (head.method == "POST" && !head.content_type.starts_with("application/json")) {
    return ErrorReply(415, "invalid", "send the body as application/json");
  }
  return IsSessionRoute(parts) ? std::nullopt : CheckSignedIn(head);
}

std::optional<HttpReply> Gate::CheckSignedIn(const HttpRequest& head) {
  if (!needs_login()) return std::nullopt;
  const auto caller = Find(head);
  if (!caller.ok()) return ErrorReply(429, "unavailable", caller.status().message());
  if (caller->has_value()) return std::nullopt;
  return ErrorReply(401, "refused", "sign in as a user of console.users");
}

Caller Gate::CallerOf(const std::string& user, Role role) const {
  return {user, config_.allow_changes && role == Role::kWriter};
}

Result<std::optional<Caller>> Gate::FromAuthorization(const std::string& authorization) const {
  const std::optional<Caller> nobody;
  if (authorization.starts_with(kBearer)) {
    if (!token_->Is(std::string_view(authorization).substr(kBearer.size()))) return nobody;
    return std::optional(Caller{kTokenCaller, config_.allow_changes});
  }
  if (!authorization.starts_with(kBasic) || users_.anyone()) return nobody;
  ARROW_ASSIGN_OR_RAISE(const auto role, users_.Authenticate(authorization));
  if (!role.has_value()) return nobody;
  return std::optional(CallerOf(Users::NameIn(authorization), *role));
}

Result<std::optional<Caller>> Gate::Find(const HttpRequest& request) {
  ARROW_ASSIGN_OR_RAISE(auto caller, FromAuthorization(request.header("Authorization")));
  if (caller.has_value()) return caller;
  return FromSession(CookieValue(request.header("Cookie"), kCookie));
}

std::string Gate::StampOf(const std::string& who, bool by_token) const {
  return by_token ? token_->Stamp() : users_.Stamp(who);
}

std::optional<Caller> Gate::FromSession(std::string_view id) {
  auto found = sessions_.Find(id, BootClock::now());
  if (!found.has_value()) return std::nullopt;
  // The stamp is empty if there was no such user yet when the sign-in began.
  const std::string stamp = StampOf(found->caller.who, found->by_token);
  if (!stamp.empty() && found->stamp == stamp) return std::move(found->caller);
  sessions_.End(id);
  return std::nullopt;
}

Caller Gate::Identify(const HttpRequest& request) {
  const auto caller = Find(request);
  return caller.ok() ? caller->value_or(Caller{}) : Caller{};
}

std::function<bool()> Gate::Permission(const HttpRequest& request) {
  if (!needs_login()) return nullptr;
  return [this, id = CookieValue(request.header("Cookie"), kCookie),
          authorization = request.header("Authorization")] {
    if (FromSession(id).has_value()) return true;  // First, because a password takes long to check.
    const auto caller = FromAuthorization(authorization);
    return !caller.ok() || caller->has_value();
  };
}

Status Gate::MayChange(const Caller& caller) const {
  if (!config_.allow_changes) {
    return Refused("this console is read-only: set console.allow_changes to permit changes");
  }
  if (caller.may_change) return Status::OK();
  if (caller.who.empty()) return Refused("changes need a token or a user: sign in first");
  return Refused("user ", caller.who, " has the role reader: a writer may make changes");
}

Result<std::string> Gate::SignIn(const nlohmann::json& body, Caller* caller) {
  for (const char* name : {"token", "user", "password"}) {
    const auto given = body.find(name);
    if (given == body.end() || !given->is_string()) continue;
    if (given->get_ref<const std::string&>().size() <= kMostCredentialBytes) continue;
    return Status::Invalid("the ", name, " has more than ", kMostCredentialBytes, " bytes");
  }
  std::optional<Caller> found;
  std::string stamp;  // From before the check: what is replaced meanwhile ends the session.
  const bool by_token = body.contains("token") && body["token"].is_string();
  if (by_token) {
    stamp = StampOf(kTokenCaller, by_token);
    ARROW_ASSIGN_OR_RAISE(
        found, FromAuthorization(std::string(kBearer) + Trimmed(body["token"].get<std::string>())));
    if (!found) return Refused("this is not the token of console.token_file");
  } else if (body.contains("user") && body["user"].is_string() && body.contains("password") &&
             body["password"].is_string()) {
    caller->who = body["user"].get<std::string>();
    stamp = StampOf(caller->who, by_token);
    const std::string credentials = caller->who + ":" + body["password"].get<std::string>();
    ARROW_ASSIGN_OR_RAISE(
        found, FromAuthorization(std::string(kBasic) + arrow::util::base64_encode(credentials)));
    if (!found) return Refused("the user or the password is wrong");
  } else {
    return Status::Invalid("send a token, or a user and a password");
  }
  *caller = *found;
  ARROW_ASSIGN_OR_RAISE(const std::string id,
                        sessions_.Begin(*found, BootClock::now(), std::move(stamp), by_token));
  return Cookie(id, std::chrono::duration_cast<std::chrono::seconds>(Sessions::kLifetime).count());
}

std::string Gate::SignOut(const HttpRequest& request) {
  sessions_.End(CookieValue(request.header("Cookie"), kCookie));
  return Cookie("", 0);
}

std::string Gate::Cookie(std::string_view id, int64_t seconds) const {
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}", kCookie, id, seconds,
                     config_.tls_certificate.empty() ? "" : "; Secure");
}

}  // namespace shopstream::console
