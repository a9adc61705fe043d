#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <memory>
#include <string>

#include "base/http_server.h"
#include "base/status.h"

namespace shopstream {

// Further families of this process, besides those of base/metric.h.
prometheus::Registry& Metrics();

// What /metrics shows, as Prometheus text: all of both, and the process itself.
std::string MetricsPage();

// Adds GET /metrics, and of base/probes.h: GET /livez and GET /readyz, which answer 200 or, with
// the reason, 503.
void AddMetricsRoutes(HttpServer* server);

// A server of these alone. `listen` as in metrics.listen. Empty: no server (a null pointer). If the
// port is taken, the next free one up to +15, which is logged.
Result<std::unique_ptr<HttpServer>> ServeMetrics(const std::string& listen);

}  // namespace shopstream
