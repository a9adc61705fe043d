#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/config.h"
#include "base/status.h"
#include "ingest/bronze_layout.h"
#include "ingest/cut_policy.h"
#include "ingest/first_schema.h"
#include "ingest/ingest_end.h"
#include "ingest/ingest_stats.h"
#include "ingest/side_tables.h"
#include "kafka/admin.h"
#include "kafka/record_source.h"
#include "kafka/topic_metadata.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "lake/upkeep/maintenance.h"
#include "registry/schema_source.h"

namespace shopstream::ingest {

// The layout of the lake's Bronze, from the schema that the table stores. If the table does not
// exist yet, it is created; see FindFirstSchema.
Result<std::shared_ptr<const BronzeLayout>> FindLayout(lake::ObjectStore* store,
                                                       registry::SchemaSource* registry,
                                                       const std::string& topic,
                                                       const LayoutOptions& options,
                                                       const PeekSchema& peek = nullptr);
// The same of a Bronze that exists, without a write.
Result<std::shared_ptr<const BronzeLayout>> LayoutOf(const lake::Snapshot& bronze,
                                                     registry::SchemaSource* registry,
                                                     const std::string& topic,
                                                     const LayoutOptions& options,
                                                     const PeekSchema& peek = nullptr);

// The tables that an ingest writes; Bronze and quarantine are created if they do not exist. Side
// tables are opened when a partition is assigned.
struct OpenLake {
  std::shared_ptr<const BronzeLayout> layout;
  std::unique_ptr<lake::Table> bronze, quarantine;
  std::unique_ptr<SideTables> sides;
};
// Waits up to a minute for a store or registry that does not answer yet, or until `stop`.
Result<OpenLake> OpenOrCreateLake(lake::ObjectStore* store, registry::SchemaSource* registry,
                                  const std::string& topic, const LayoutOptions& options,
                                  const std::function<bool()>& stop,
                                  const PeekSchema& peek = nullptr);

struct IngestSettings {
  std::string topic;
  CutLimits cut;
  std::optional<lake::MaintenanceOptions> maintenance;  // Nothing: no maintenance.
};
// The sources of an ingest; borrowed.
struct IngestSources {
  kafka::RecordSource* records = nullptr;
  kafka::TopicMetadata* topics = nullptr;
  registry::SchemaSource* registry = nullptr;
};
// Runs the loop, writer and maintenance until `stop`; see IngestLoop::Run.
Result<IngestEnd> IngestInto(const OpenLake& lake, const IngestSources& sources,
                             const IngestSettings& settings, bool until_caught_up,
                             IngestStats* stats, const std::function<bool()>& stop);

// How a configured ingest runs.
struct IngestRun {
  bool until_caught_up = false;
  // Called with the open lake before anything is read; an error ends the run. Null: nothing to do.
  std::function<Status(const OpenLake& lake, kafka::Admin* admin, registry::SchemaSource* registry)>
      first;
};
// Opens the lake, the registry and Kafka as configured, and runs the loop until `stop`. `stats` may
// be read by the `on_tick` callback, which runs on the loop's thread about once per second.
Result<IngestEnd> RunIngest(const Config& config, const IngestRun& run, IngestStats* stats,
                            const std::function<bool()>& stop,
                            const std::function<void()>& on_tick);

}  // namespace shopstream::ingest
