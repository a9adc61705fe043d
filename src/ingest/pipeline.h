#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/config.h"
#include "base/status.h"
#include "ingest/bronze_layout.h"
#include "ingest/ingest_stats.h"

namespace shopstream::ingest {

struct IngestOptions {
  bool until_caught_up = false;
  LayoutOptions layout;
};

// Opens the lake, the registry and Kafka as configured, and runs the loop until `stop`. `stats` may
// be read by the `on_tick` callback, which runs on the loop's thread about once a second.
Status RunIngest(const Config& config, const IngestOptions& options, IngestStats* stats,
                 const std::function<bool()>& stop, const std::function<void()>& on_tick);

}  // namespace shopstream::ingest
