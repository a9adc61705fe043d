#include "base/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <utility>
#include <vector>

#include "base/listen_address.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/probes.h"
#include "base/process_metrics.h"

namespace shopstream {
namespace {

constexpr int kNextPortsToTry = 15;

HttpReply Scrape(const HttpRequest&) {
  return {200, MetricsPage(), "text/plain; version=0.0.4; charset=utf-8"};
}

HttpReply Probe(const std::string& why_not) {
  if (why_not.empty()) return {200, "ok\n", "text/plain"};
  return {503, why_not + "\n", "text/plain; charset=utf-8"};
}

}  // namespace

prometheus::Registry& Metrics() {
  static prometheus::Registry registry;
  return registry;
}

std::string MetricsPage() {
  std::vector<prometheus::MetricFamily> families = Exposed::Collect();
  for (auto further : {Metrics().Collect(), CollectProcess()}) {
    std::ranges::move(further, std::back_inserter(families));
  }
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return text.str();
}

void AddMetricsRoutes(HttpServer* server) {
  server->Route("GET", "metrics", Scrape);
  server->Route("GET", "livez", [](const HttpRequest&) {
    return Probe(Probes::OfProcess().WhyNotLive(BootClock::now()));
  });
  server->Route("GET", "readyz",
                [](const HttpRequest&) { return Probe(Probes::OfProcess().WhyNotReady()); });
}

Result<std::unique_ptr<HttpServer>> ServeMetrics(const std::string& listen) {
  if (listen.empty()) return nullptr;
  ARROW_ASSIGN_OR_RAISE(const ListenAddress address, ParseListenAddress(listen));
  auto server = std::make_unique<HttpServer>(
      HttpServerOptions{.listen = listen, .next_ports_to_try = kNextPortsToTry, .threads = 2});
  AddMetricsRoutes(server.get());
  ARROW_RETURN_NOT_OK(server->Start());
  if (address.port != 0 && server->port() != address.port) {
    Log::Warn("metrics: {} is taken, so they are on port {}", listen, server->port());
  }
  Log::Info("metrics on http://{}:{}/metrics", listen.substr(0, listen.rfind(':')), server->port());
  return server;
}

}  // namespace shopstream
