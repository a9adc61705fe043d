#include "console/server.h"

#include <utility>

#include "base/error_kind.h"
#include "base/http_router.h"
#include "base/json.h"
#include "base/metrics.h"
#include "console/api.h"
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

}  // namespace

struct Server::Impl {
  Impl(const Config& config, observe::Sampler& sampler, const ServerOptions& options)
      : world{config, sampler},
        assets(options.web_folder),
        routes(AllRoutes(world)),
        http(HttpOptions(config.console)) {}

  HttpReply Handle(HttpRequest& request);
  HttpReply Call(const ApiRoute& route, const HttpRequest& request);

  const World world;
  const Assets assets;
  const std::vector<ApiRoute> routes;
  HttpServer http;  // Declared last: its handlers use the others, so it stops first.
};

HttpReply Server::Impl::Handle(HttpRequest& request) {
  auto match = FindRoute(routes, request);
  if (match.route != nullptr) {
    request.captures = std::move(match.captures);
    return Call(*match.route, request);
  }
  if (match.path_known) return ErrorReply(405, "invalid", "this address takes another method");
  if (request.path == "/api" || request.path.starts_with("/api/")) {
    return ErrorReply(404, "gone", "the console's API has no " + request.path);
  }
  const bool reads = request.method == "GET" || request.method == "HEAD";
  return reads ? assets.Serve(request)
               : ErrorReply(405, "invalid", "the page's files can only be read");
}

HttpReply Server::Impl::Call(const ApiRoute& route, const HttpRequest& request) {
  nlohmann::json body = nlohmann::json::object();
  if (route.method == "POST" && !request.body.empty()) {
    body = ParseJson(request.body);
    if (!body.is_object()) return ErrorReply(400, "invalid", "the body is not a JSON object");
  }
  const ApiRequest call{request, body};
  if (const Read* read = std::get_if<Read>(&route.handler)) return ReplyOf((*read)(call));
  return ErrorReply(403, "refused", "this console is read-only");
}

Result<std::unique_ptr<Server>> Server::Start(const Config& config, observe::Sampler& sampler,
                                              ServerOptions options) {
  auto impl = std::make_unique<Impl>(config, sampler, options);
  AddMetricsRoutes(&impl->http);
  impl->http.Otherwise([state = impl.get()](HttpRequest& request) {
    return WithSafeHeaders(state->Handle(request));
  });
  impl->http.OnError([](int status, const HttpRequest&) {
    return WithSafeHeaders(ErrorReply(status, "invalid", "HTTP status " + std::to_string(status)));
  });
  ARROW_RETURN_NOT_OK(impl->http.Start());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

int Server::port() const { return impl_->http.port(); }

}  // namespace shopstream::console
