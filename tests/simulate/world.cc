#include "simulate/world.h"

#include <arrow/util/logging.h>

#include <algorithm>

#include "ingest/testing.h"
#include "lake/delta/table.h"
#include "tables/columns.h"
#include "tables/progress.h"

namespace shopstream::simulate {
namespace {

namespace events = ingest::testing;

constexpr int32_t kNeverRegistered = 77;
constexpr int32_t kRegisteredLate = 6;

}  // namespace

World::World(const Plan& a_plan, Mistake a_mistake, bool keep_text)
    : plan(a_plan),
      mistake(a_mistake),
      trace(keep_text),
      chance(a_plan.seed),
      scheduler(&chance, &trace),
      store(&scheduler),
      kafka(&scheduler, kTopic, Plan::kPartitions),
      registry(&scheduler) {
  layout.partition_values = {"US", "EU"};
  for (const auto& [id, schema] : events::SchemasById()) {
    if (id != events::kWithIdAsText) registry.Register(id, schema);
  }
  Now().resize(Plan::kPartitions);
  if (!plan.lake_exists) return;
  const auto look = Look();
  auto bronze = events::EventLayout(layout)->table;
  // So that a history has some checkpoints.
  bronze.properties["delta.checkpointInterval"] = "8";
  ARROW_CHECK_OK(lake::Table::Create(look.get(), bronze));
  auto quarantine = tables::QuarantineSpec(layout.quarantine_table);
  quarantine.properties["delta.checkpointInterval"] = "8";
  ARROW_CHECK_OK(lake::Table::Create(look.get(), quarantine));
}

// A purchase in one of several versions, or a value that no reader can decode.
std::string World::MakeValue(ProducedRecord* record) {
  using Fate = ProducedRecord::Fate;
  record->id = next_id++;
  const int64_t kind = chance.Below(100);
  const char* region = chance.Once(0.9) ? "US" : "EU";
  const int64_t time = events::kOct24 + (chance.Once(0.02) ? -events::kDay : 0);
  if (kind < 70) return events::Event(record->id, region, time);
  if (kind < 80) return events::EventWithNumber(record->id, record->id * 3);
  record->fate = Fate::kEither;
  if (kind < 83) return events::EventWithNumber(record->id, 5, kRegisteredLate);
  // The first of these two to be committed decides the type of the new column.
  if (kind < 85) return events::EventWithLeft(record->id, "links");
  if (kind < 86) return events::EventWithNumber(record->id, 7, events::kWithLeftAsNumber);
  record->fate = Fate::kGarbage;
  if (kind < 90) return events::Event(record->id, "MARS", events::kOct24);
  if (kind < 95) return events::Event(record->id, "US", events::kOct24, kNeverRegistered);
  return "garbage";
}

void World::Produce(int32_t partition, int64_t amount, bool open) {
  if (kafka.id().empty()) return;
  PartitionTruth& partition_truth = Now()[partition];
  for (int64_t i = 0; i < amount; ++i) {
    ProducedRecord record;
    std::optional<std::string> value = MakeValue(&record);
    if (record.fate == ProducedRecord::Fate::kGarbage && chance.Once(0.2)) value.reset();
    // Records after an open transaction are not read either.
    const int64_t offset =
        kafka.Produce(partition, "42", std::move(value), events::kOct24 + events::kDay / 2, open);
    record.value = kafka.log(partition).offsets[offset].value;
    partition_truth.records.resize(offset);
    partition_truth.records.push_back(record);
  }
}

void World::EndTransaction(int32_t partition, bool commit) {
  if (kafka.id().empty()) return;
  kafka.EndTransaction(partition, commit);
  PartitionTruth& partition_truth = Now()[partition];
  const PartitionLog& log = kafka.log(partition);
  partition_truth.records.resize(log.end());
  for (int64_t offset = log.log_start; offset < log.end(); ++offset) {
    const auto kind = log.offsets[offset].kind;
    if (kind == StoredOffset::Kind::kAborted || kind == StoredOffset::Kind::kMarker) {
      partition_truth.aborted.insert(offset);
    }
  }
}

std::optional<int64_t> World::LakeTxn(int32_t partition) {
  const auto look = Look();
  const auto table = lake::Table::Open(look.get(), layout.table);
  if (!table.ok()) return std::nullopt;
  return (*table)->snapshot()->Txn(tables::ProgressAppId(kafka.id(), partition));
}

void World::Expire(int32_t partition, int64_t amount) {
  if (kafka.id().empty()) return;
  const int64_t before = kafka.log(partition).log_start;
  const int64_t txn = LakeTxn(partition).value_or(0);
  kafka.Expire(partition, before + amount);
  const int64_t after = kafka.log(partition).log_start;
  trace.Count("kafka: records expired", after > before);
  for (int64_t offset = std::max(before, txn); offset < after; ++offset) {
    Now()[partition].expired.insert(offset);
    trace.Count("kafka: expired before it was read");
  }
}

void World::Truncate(int32_t partition, int64_t amount) {
  if (kafka.id().empty()) return;
  const PartitionLog& log = kafka.log(partition);
  const int64_t end = std::max(log.log_start, log.end() - amount);
  PartitionTruth& partition_truth = Now()[partition];
  if (end == log.end()) return;
  trace.Count("kafka: truncation");
  if (LakeTxn(partition).value_or(0) > end) trace.Count("kafka: truncation below the lake");
  for (int64_t offset = end; offset < log.end(); ++offset) {
    partition_truth.disturbed.insert(offset);
    partition_truth.aborted.erase(offset);
  }
  kafka.Truncate(partition, end);
  partition_truth.records.resize(end);
}

void World::RecreateTopic() {
  if (kafka.id().empty()) return;
  for (PartitionTruth& partition : Now()) partition.deleted = true;
  trace.Count("kafka: topic created again");
  kafka.DeleteTopic();
  scheduler.After(Millis{chance.Below(3000)}, [this] {
    kafka.CreateTopic(Plan::kPartitions);
    Now().resize(Plan::kPartitions);
  });
}

void World::RegisterLateSchema() {
  registry.Register(kRegisteredLate, events::EventWith("right", "long"));
  trace.Count("registry: a schema turns up late");
}

}  // namespace shopstream::simulate
