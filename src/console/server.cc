#include "console/server.h"

#include <iterator>
#include <mutex>
#include <utility>
#include <variant>

#include "base/error_kind.h"
#include "base/http_router.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "console/api.h"
#include "console/api_about.h"
#include "console/change_log.h"
#include "console/event_hub.h"
#include "console/gate.h"
#include "console/live_feed.h"
#include "console/masking.h"
#include "console/reply.h"
#include "console/routes.h"

namespace shopstream::console {
namespace {

constexpr int64_t kMaxBodyBytes = 4 << 20;  // A message to produce, as hex with its key.
constexpr int kThreads = 32;                // A search or a query occupies one for a second.

HttpServerOptions HttpOptions(const ConsoleConfig& config) {
  HttpServerOptions options;
  options.listen = config.listen;
  options.threads = kThreads;
  options.max_body_bytes = kMaxBodyBytes;
  options.tls_certificate = config.tls_certificate;
  options.tls_key = config.tls_key;
  return options;
}

// Nothing: it is no JSON object. An empty body is an empty object.
std::optional<nlohmann::json> BodyOf(const HttpRequest& request) {
  if (request.method != "POST" || request.body.empty()) return nlohmann::json::object();
  nlohmann::json body = ParseJson(request.body);
  return body.is_object() ? std::optional(std::move(body)) : std::nullopt;
}

// Attempts of callers who have not signed in are recorded, but not so many that they push the
// records of others out of the log. Thread-safe.
class StrangerBudget {
 public:
  bool Take(BootClock::time_point now) {
    const std::lock_guard lock(mutex_);
    if (now - since_ >= kSpan) {
      since_ = now;
      taken_ = 0;
    }
    return ++taken_ <= kMost;
  }

 private:
  static constexpr Millis kSpan{60'000};
  static constexpr int kMost = 60;

  std::mutex mutex_;
  BootClock::time_point since_{};  // Guarded by mutex_, like all below.
  int taken_ = 0;
};

}  // namespace

struct Server::Impl {
  Impl(const Config& config, observe::Sampler& sampler, const ServerOptions& options,
       std::unique_ptr<Gate> opened, std::unique_ptr<ChangeLog> log);

  HttpReply Handle(HttpRequest& request);
  HttpReply Call(const ApiRoute& route, const HttpRequest& request);
  HttpReply Make(const ApiRoute& route, ApiRequest request);
  void Record(ChangeRecord record, Receipt receipt);
  HttpReply SignIn(const HttpRequest& request);
  HttpReply SignOut(const HttpRequest& request);
  ChangeRecord Attempt(const HttpRequest& request, const Caller& caller, std::string what) const;
  void RecordFailure(ChangeRecord record, const Status& why, bool signed_in);
  HttpReply ListRoutes() const;

  const Masking masking;
  LakeTables tables;
  const World world;
  const Assets assets;
  const std::unique_ptr<Gate> gate;
  const std::unique_ptr<ChangeLog> changes;
  const std::vector<ApiRoute> routes;
  StrangerBudget strangers;
  EventHub hub;
  LiveFeed feed;
  HttpServer http;  // Declared last: its handlers use the others, so it stops first.
};

namespace {

std::vector<ApiRoute> BothTables(std::vector<ApiRoute> routes, std::vector<ApiRoute> more) {
  std::move(more.begin(), more.end(), std::back_inserter(routes));
  return routes;
}

}  // namespace

Server::Impl::Impl(const Config& config, observe::Sampler& sampler, const ServerOptions& options,
                   std::unique_ptr<Gate> opened, std::unique_ptr<ChangeLog> log)
    : masking(config.console.mask),
      tables(config),
      world{config, sampler, masking, tables},
      assets(options.web_folder),
      gate(std::move(opened)),
      changes(std::move(log)),
      routes(BothTables(AllRoutes(world), AboutRoutes(world, *gate, *changes))),
      hub({.channels = LiveFeed::Channels()}),
      feed(routes, sampler, hub),
      http(HttpOptions(config.console)) {}

HttpReply Server::Impl::Handle(HttpRequest& request) {
  auto match = FindRoute(routes, request);
  if (match.route != nullptr) {
    request.captures = std::move(match.captures);
    return Call(*match.route, request);
  }
  if (request.path == "/api" && request.method == "GET") return ListRoutes();
  if (match.path_known) return ErrorReply(405, "invalid", "this address takes another method");
  if (request.path == "/api" || request.path.starts_with("/api/")) {
    return ErrorReply(404, "gone", "the console's API has no " + request.path);
  }
  const bool reads = request.method == "GET" || request.method == "HEAD";
  return reads ? assets.Serve(request)
               : ErrorReply(405, "invalid", "the page's files can only be read");
}

HttpReply Server::Impl::ListRoutes() const {
  nlohmann::ordered_json listed = nlohmann::ordered_json::array();
  for (const ApiRoute& route : routes) {
    listed.push_back({{"method", route.method},
                      {"path", route.pattern},
                      {"meaning", route.meaning},
                      {"changes", std::holds_alternative<Change>(route.handler)}});
  }
  return ReplyOf(nlohmann::ordered_json{{"routes", std::move(listed)}});
}

HttpReply Server::Impl::Call(const ApiRoute& route, const HttpRequest& request) {
  const auto body = BodyOf(request);
  if (!body.has_value()) return ErrorReply(400, "invalid", "the body is not a JSON object");
  const ApiRequest call{request, *body};
  if (const Read* read = std::get_if<Read>(&route.handler)) return ReplyOf((*read)(call));
  if (const RawRead* read = std::get_if<RawRead>(&route.handler)) return (*read)(call);
  return Make(route, call);
}

ChangeRecord Server::Impl::Attempt(const HttpRequest& request, const Caller& caller,
                                   std::string what) const {
  ChangeRecord record;
  record.at_ms = WallClockMillis();
  record.who = caller.who;
  record.from = request.remote;
  record.what = std::move(what);
  record.subject = request.path;
  return record;
}

void Server::Impl::RecordFailure(ChangeRecord record, const Status& why, bool signed_in) {
  if (!gate->allow_changes()) return;  // Nothing could have changed.
  if (!signed_in && !strangers.Take(BootClock::now())) return;
  record.error = why.message();
  static_cast<void>(changes->Append(std::move(record)));  // It logs the error.
}

// The one place through which every change goes.
HttpReply Server::Impl::Make(const ApiRoute& route, ApiRequest request) {
  const Caller caller = gate->Identify(request.http);
  ChangeRecord record = Attempt(request.http, caller, route.meaning);
  request.record_end = [this, record](Receipt receipt) {
    ChangeRecord end = record;
    end.at_ms = WallClockMillis();
    Record(std::move(end), std::move(receipt));
  };
  Status permitted = gate->MayChange(caller);
  if (permitted.ok()) permitted = changes->Writable();
  Result<Receipt> made =
      permitted.ok() ? std::get<Change>(route.handler)(request) : Result<Receipt>(permitted);
  if (!made.ok()) {
    RecordFailure(std::move(record), made.status(), !caller.who.empty());
    return ErrorReply(made.status());
  }
  HttpReply reply{200, DumpJson(*made->answer)};
  Record(std::move(record), *std::move(made));
  return reply;
}

void Server::Impl::Record(ChangeRecord record, Receipt receipt) {
  masking.Apply(&*receipt.before);
  masking.Apply(&*receipt.after);
  record.what = std::move(receipt.what);
  record.subject = std::move(receipt.subject);
  record.before = std::move(receipt.before);
  record.after = std::move(receipt.after);
  record.error = std::move(receipt.error);
  static_cast<void>(changes->Append(std::move(record)));  // It has logged the error.
}

HttpReply Server::Impl::SignIn(const HttpRequest& request) {
  const auto body = BodyOf(request);
  if (!body.has_value()) return ErrorReply(400, "invalid", "the body is not a JSON object");
  Caller caller;
  const Result<std::string> cookie = gate->SignIn(*body, &caller);
  if (!cookie.ok() && IsUnavailable(cookie.status())) {
    return ErrorReply(429, "unavailable", cookie.status().message());
  }
  if (!cookie.ok()) {
    RecordFailure(Attempt(request, caller, "sign in"), cookie.status(), false);
    return ErrorReply(cookie.status());
  }
  HttpReply reply = ReplyOf(
      nlohmann::ordered_json{{"signed_in_as", caller.who}, {"may_change", caller.may_change}});
  reply.headers.emplace_back("Set-Cookie", *cookie);
  return reply;
}

HttpReply Server::Impl::SignOut(const HttpRequest& request) {
  HttpReply reply = ReplyOf(nlohmann::ordered_json{{"signed_in_as", nullptr}});
  reply.headers.emplace_back("Set-Cookie", gate->SignOut(request));
  hub.EndForbidden();
  return reply;
}

Result<std::unique_ptr<Server>> Server::Start(const Config& config, observe::Sampler& sampler,
                                              ServerOptions options) {
  ARROW_ASSIGN_OR_RAISE(auto gate, Gate::Open(config.console));
  ARROW_ASSIGN_OR_RAISE(auto changes, ChangeLog::Open(config.console.change_log));
  auto impl = std::make_unique<Impl>(config, sampler, options, std::move(gate), std::move(changes));
  Impl* const state = impl.get();
  HttpServer& http = impl->http;
  AddMetricsRoutes(&http);
  http.Before([state](const HttpRequest& head) {
    auto refusal = state->gate->Check(head);
    if (refusal.has_value()) refusal = WithSafeHeaders(*std::move(refusal));
    return refusal;
  });
  const auto route = [&](const char* method, const char* path,
                         std::function<HttpReply(const HttpRequest&)> handle) {
    http.Route(method, path, [handle = std::move(handle)](const HttpRequest& request) {
      return WithSafeHeaders(handle(request));
    });
  };
  route("GET", "/api/stream", [state](const HttpRequest& request) {
    return state->hub.Subscribe(request, state->gate->Permission(request));
  });
  route("POST", "/api/session",
        [state](const HttpRequest& request) { return state->SignIn(request); });
  route("POST", "/api/session/end",
        [state](const HttpRequest& request) { return state->SignOut(request); });
  http.Otherwise([state](HttpRequest& request) { return WithSafeHeaders(state->Handle(request)); });
  http.OnError([](int status, const HttpRequest&) {
    const std::string text = status == 413   ? "the body is larger than 4 MiB"
                             : status == 500 ? "the console failed: see its log"
                                             : "HTTP status " + std::to_string(status);
    return WithSafeHeaders(ErrorReply(status, status == 500 ? "corrupt" : "invalid", text));
  });
  ARROW_RETURN_NOT_OK(http.Start());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

int Server::port() const { return impl_->http.port(); }

}  // namespace shopstream::console
