#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/config.h"
#include "base/status.h"
#include "ingest/bronze_layout.h"
#include "ingest/ingest_stats.h"
#include "lake/object_store.h"
#include "registry/client.h"

namespace shopstream::ingest {

// The layout of the lake's Bronze: of the schema that the table keeps. Where there is no table yet,
// it is made after the newest that the registry has for the topic.
Result<std::shared_ptr<const BronzeLayout>> FindLayout(lake::ObjectStore* store,
                                                       registry::Client* registry,
                                                       const std::string& topic,
                                                       const LayoutOptions& options);

// Opens the lake, the registry and Kafka as configured, and runs the loop until `stop`. `stats` may
// be read by the `on_tick` callback, which runs on the loop's thread about once a second.
Status RunIngest(const Config& config, bool until_caught_up, IngestStats* stats,
                 const std::function<bool()>& stop, const std::function<void()>& on_tick);

}  // namespace shopstream::ingest
