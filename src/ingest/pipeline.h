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

// The layout of the lake's Bronze, from the schema that the table stores. If the table does not
// exist yet, it is created from the newest schema in the registry for the topic.
Result<std::shared_ptr<const BronzeLayout>> FindLayout(lake::ObjectStore* store,
                                                       registry::Client* registry,
                                                       const std::string& topic,
                                                       const LayoutOptions& options);

// Opens the lake, the registry and Kafka as configured, and runs the loop until `stop`. `stats` may
// be read by the `on_tick` callback, which runs on the loop's thread about once per second.
Status RunIngest(const Config& config, bool until_caught_up, IngestStats* stats,
                 const std::function<bool()>& stop, const std::function<void()>& on_tick);

}  // namespace shopstream::ingest
