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

// The process's one registry; families are made where they are used.
prometheus::Registry& Metrics();

// Serves GET /metrics. `listen` as metrics.listen: empty means no server (a null pointer); a taken
// port means the next free one up to +15, named in the log.
Result<std::unique_ptr<HttpServer>> ServeMetrics(const std::string& listen);

}  // namespace shopstream
