#include "ingest/pipeline.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/error_kind.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/runtime.h"
#include "base/shutdown.h"
#include "ingest/cut_committer.h"
#include "ingest/cut_writer.h"
#include "ingest/ingest_loop.h"
#include "ingest/schema_cache.h"
#include "ingest/start_checks.h"
#include "ingest/stored_layout.h"
#include "ingest/table_growth.h"
#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "kafka/group_members.h"
#include "lake/delta/table.h"
#include "lake/delta/table_state.h"
#include "lake/store/object_store.h"
#include "lake/store/put_proof.h"
#include "lake/upkeep/maintenance.h"
#include "lake/upkeep/repair.h"
#include "registry/client.h"
#include "tables/columns.h"

namespace shopstream::ingest {
namespace {

// Three quarters of the memory limit are for cuts: one filling and those in flight, in equal parts.
// A sixteenth is for the client's queue, which uses about 350 more bytes for every 100 that it
// counts. A cut stays well below the 2 GiB of text that a column can hold.
constexpr int64_t kMaxFillingBytes = 1 << 30;

// A member that died leaves the group after its session timeout of 10 s.
constexpr Millis kOthersLeaveWithin{15'000};
// After a stop was requested: longer than a flush, and for programs that have nothing to flush.
constexpr Millis kFlushGrace{25'000}, kIdleGrace{3'000};

struct MemoryShares {
  int64_t queue_kbytes;
  int64_t filling_bytes;
};

MemoryShares ShareMemory(int64_t limit_mb) {
  const int64_t bytes = limit_mb << 20;
  return {.queue_kbytes = bytes / 16 / 1024,
          .filling_bytes = std::min<int64_t>(
              bytes * 3 / 4 / static_cast<int64_t>(CutWriter::kMaxInFlight + 1), kMaxFillingBytes)};
}

// Repeats a start-up step while the service it needs may still be coming up.
template <typename Step>
auto WithPatience(const char* what, const std::function<bool()>& stop, Step&& step)
    -> decltype(step()) {
  Retry retry(
      {.patience = {.first = Millis{200}, .longest = Millis{2000}, .give_up_after = Millis{60'000}},
       .stop = StopToken(stop),
       .on_wait = [what](const Status& why, Millis) {
         Log::Warn("Waiting for {}: {}", what, why.message());
       }});
  return retry.Run(step);
}

// Warns if an earlier version or another engine left files that mislead other readers.
void AdviseRepair(const lake::Table& table) {
  const std::string advice =
      lake::RepairAdvice(table.path(), lake::CountRepairs(*table.snapshot()));
  if (!advice.empty()) Log::Warn("{}", advice);
}

}  // namespace

Result<std::shared_ptr<const BronzeLayout>> FindLayout(lake::ObjectStore* store,
                                                       registry::SchemaSource* registry,
                                                       const std::string& topic,
                                                       const LayoutOptions& options,
                                                       const PeekSchema& peek) {
  // First, because it also creates the bucket.
  ARROW_RETURN_NOT_OK(lake::ProvePutIfAbsent(store, options.table));
  Result<std::unique_ptr<lake::Table>> table = lake::Table::Open(store, options.table);
  if (table.status().IsKeyError()) {
    ARROW_ASSIGN_OR_RAISE(const avro::Schema first,
                          FindFirstSchema(registry, options.naming, topic, peek));
    ARROW_ASSIGN_OR_RAISE(const BronzeLayout layout, BronzeLayout::Make(first, options));
    ARROW_RETURN_NOT_OK(CheckWidePaths(layout));
    ARROW_RETURN_NOT_OK(lake::Table::Create(store, layout.table));
    table = lake::Table::Open(store, options.table);
  }
  ARROW_RETURN_NOT_OK(table.status());
  return LayoutOf(*(*table)->snapshot(), registry, topic, options, peek);
}

Result<std::shared_ptr<const BronzeLayout>> LayoutOf(const lake::Snapshot& bronze,
                                                     registry::SchemaSource* registry,
                                                     const std::string& topic,
                                                     const LayoutOptions& options,
                                                     const PeekSchema& peek) {
  ARROW_RETURN_NOT_OK(CheckPartitionFields(bronze, options));
  ARROW_ASSIGN_OR_RAISE(TableMemory memory, ReadTableMemory(bronze, options));
  if (!memory.reader_schema) {
    ARROW_ASSIGN_OR_RAISE(memory.reader_schema,
                          FindFirstSchema(registry, options.naming, topic, peek));
  }
  ARROW_ASSIGN_OR_RAISE(BronzeLayout layout, BronzeLayout::Make(*memory.reader_schema, options));
  ARROW_RETURN_NOT_OK(CheckWidePaths(layout));
  ARROW_RETURN_NOT_OK(CheckWideDecimals(bronze, layout));
  return std::make_shared<const BronzeLayout>(std::move(layout));
}

Result<OpenLake> OpenOrCreateLake(lake::ObjectStore* store, registry::SchemaSource* registry,
                                  const std::string& topic, const LayoutOptions& options,
                                  const std::function<bool()>& stop, const PeekSchema& peek) {
  OpenLake lake;
  ARROW_ASSIGN_OR_RAISE(lake.layout, WithPatience("the table and its schema", stop, [&] {
                          return FindLayout(store, registry, topic, options, peek);
                        }));
  ARROW_ASSIGN_OR_RAISE(lake.bronze, WithPatience("the lake", stop, [&] {
                          return lake::Table::OpenOrCreate(store, lake.layout->table);
                        }));
  ARROW_ASSIGN_OR_RAISE(lake.quarantine, WithPatience("the lake", stop, [&] {
                          return lake::Table::OpenOrCreate(
                              store, tables::QuarantineSpec(options.quarantine_table));
                        }));
  lake.sides = std::make_unique<SideTables>(store, options);
  ARROW_RETURN_NOT_OK(lake.sides->CheckSetting(*lake.bronze->snapshot()));
  for (const lake::Table* table : {lake.bronze.get(), lake.quarantine.get()}) AdviseRepair(*table);
  const std::string other_time = WarnOfEventTime(*lake.bronze->snapshot(), options);
  const std::string later = WarnOfWidePaths(*lake.layout);
  for (const std::string& warning : {other_time, later}) {
    if (!warning.empty()) Log::Warn("{}", warning);
  }
  return lake;
}

Result<IngestEnd> IngestInto(const OpenLake& lake, const IngestSources& sources,
                             const IngestSettings& settings, bool until_caught_up,
                             IngestStats* stats, const std::function<bool()>& stop) {
  SchemaCache schemas(lake.layout, [&](int32_t id) { return sources.registry->ById(id); });
  CutCommitter committer(lake.bronze.get(), lake.quarantine.get(), lake.sides.get(),
                         [&]() -> Result<std::string> {
                           ARROW_ASSIGN_OR_RAISE(
                               auto topic, sources.topics->DescribeTopic(settings.topic, false));
                           return topic ? topic->id : "";
                         },
                         {});
  CutWriter writer(&committer);
  IngestLimits limits;
  limits.cut = settings.cut;
  IngestLoop loop({.topic = settings.topic,
                   .layout = lake.layout,
                   .source = sources.records,
                   .topics = sources.topics,
                   .bronze = lake.bronze.get(),
                   .quarantine = lake.quarantine.get(),
                   .sides = lake.sides.get(),
                   .schemas = &schemas,
                   .writer = &writer,
                   .stats = stats},
                  limits);
  // Declared after what it borrows, so that it is destroyed first.
  std::optional<lake::Maintenance> maintenance;
  if (settings.maintenance) {
    maintenance.emplace(
        [&lake] {
          std::vector<lake::Table*> tables = lake.sides->Open();
          tables.insert(tables.begin(), {lake.bronze.get(), lake.quarantine.get()});
          return tables;
        },
        *settings.maintenance);
  }
  return loop.Run(until_caught_up, stop);
}

Result<IngestEnd> RunIngest(const Config& config, const IngestRun& run, IngestStats* stats,
                            const std::function<bool()>& stop,
                            const std::function<void()>& on_tick) {
  const MemoryShares memory = ShareMemory(config.ingest.memory_limit_mb);
  ARROW_ASSIGN_OR_RAISE(auto store, lake::OpenObjectStore(config));
  ARROW_ASSIGN_OR_RAISE(auto registry, registry::Client::Open(config.registry));
  ARROW_ASSIGN_OR_RAISE(auto admin, kafka::Admin::Open(config.kafka));
  const auto check_topic = [&] {
    return CheckTopicAndTable(admin.get(), config.kafka, store.get(), config.lake.bronze_table);
  };
  if (!run.first) ARROW_RETURN_NOT_OK(check_topic());
  ARROW_ASSIGN_OR_RAISE(
      const OpenLake lake,
      OpenOrCreateLake(store.get(), registry.get(), config.kafka.topic, LayoutOptions::From(config),
                       stop, [&] { return PeekTopic(admin.get(), config.kafka, registry.get()); }));
  if (run.first) {
    ARROW_RETURN_NOT_OK(run.first(lake, admin.get(), registry.get()));
    ARROW_RETURN_NOT_OK(check_topic());
  }
  const std::string client_id = ClientIdOf(lake::StateOf(*lake.bronze->snapshot()).metadata().id);
  GroupGuard group(config.kafka.group, client_id, [&] { return kafka::ListMembers(config.kafka); });
  ARROW_RETURN_NOT_OK(group.AwaitOthers(kOthersLeaveWithin, StopToken(stop)));
  ARROW_ASSIGN_OR_RAISE(auto consumer,
                        kafka::Consumer::Open(config.kafka, {.queue_kbytes = memory.queue_kbytes,
                                                             .client_id = client_id}));
  IngestSettings settings;
  settings.topic = config.kafka.topic;
  settings.cut = {.batch_size = config.ingest.batch_size,
                  .commit_interval = Millis{config.ingest.commit_interval_ms},
                  .batch_timeout = Millis{config.ingest.batch_timeout_seconds * 1000},
                  .filling_bytes = memory.filling_bytes,
                  .open_partitions = config.ingest.max_open_partitions};
  if (config.ingest.maintenance) settings.maintenance.emplace();
  BootClock::time_point next_tick{};
  Status refused;
  const auto should_stop = [&] {
    // Only what was read is worth the time to commit it.
    SetShutdownGrace(stats->buffered() > 0 ? kFlushGrace : kIdleGrace);
    const BootClock::time_point now = BootClock::now();
    if (now >= next_tick) {
      on_tick();
      next_tick = now + std::chrono::seconds{1};
      if (refused.ok()) refused = group.Look(now);
    }
    return !refused.ok() || stop();
  };
  const auto end = IngestInto(
      lake, {.records = consumer.get(), .topics = admin.get(), .registry = registry.get()},
      settings, run.until_caught_up, stats, should_stop);
  ARROW_RETURN_NOT_OK(refused);
  return end;
}

}  // namespace shopstream::ingest
