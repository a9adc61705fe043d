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

// The registry of this process; metric families are created where they are used.
prometheus::Registry& Metrics();

// Serves GET /metrics. `listen` as in metrics.listen. Empty: no server (a null pointer). If the
// port is taken, the next free one up to +15, which is logged.
Result<std::unique_ptr<HttpServer>> ServeMetrics(const std::string& listen);

}  // namespace shopstream
