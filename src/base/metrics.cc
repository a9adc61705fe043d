#include "base/metrics.h"

#include <prometheus/text_serializer.h>

#include <sstream>
#include <utility>

#include "base/listen_address.h"
#include "base/log.h"

namespace shopstream {
namespace {

constexpr int kNextPortsToTry = 15;

HttpReply Scrape(const HttpRequest&) {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, Metrics().Collect());
  return {200, text.str(), "text/plain; version=0.0.4; charset=utf-8"};
}

}  // namespace

prometheus::Registry& Metrics() {
  static prometheus::Registry registry;
  return registry;
}

Result<std::unique_ptr<HttpServer>> ServeMetrics(const std::string& listen) {
  if (listen.empty()) return nullptr;
  ARROW_ASSIGN_OR_RAISE(const ListenAddress address, ParseListenAddress(listen));
  auto server = std::make_unique<HttpServer>(
      HttpServerOptions{.listen = listen, .next_ports_to_try = kNextPortsToTry, .threads = 2});
  server->Route("GET", "/metrics", Scrape);
  ARROW_RETURN_NOT_OK(server->Start());
  if (address.port != 0 && server->port() != address.port) {
    Log::Warn("metrics: {} is taken, so they are on port {}", listen, server->port());
  }
  Log::Info("metrics on http://{}:{}/metrics", listen.substr(0, listen.rfind(':')), server->port());
  return server;
}

}  // namespace shopstream
