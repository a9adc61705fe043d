#include "simulate/world.h"

#include <arrow/util/logging.h>

#include <algorithm>

#include "ingest/testing.h"
#include "lake/delta/table.h"
#include "tables/columns.h"
#include "tables/progress.h"
#include "tables/record_types.h"

namespace shopstream::simulate {
namespace {

namespace events = ingest::testing;

constexpr int32_t kNeverRegistered = 77;
constexpr int32_t kRegisteredLate = 6;

// Other record types of the topic. The first two are versions of one; the last is registered late.
constexpr int32_t kRefund = 21, kRefundWithSum = 22, kRefundWithSumAsText = 23, kSignup = 24,
                  kLateType = 25;

std::string Record(const std::string& name, const std::string& fields) {
  return R"({"type": "record", "name": ")" + name +
         R"(", "fields": [{"name": "id", "type": "long"})" + fields + "]}";
}
std::string RefundWith(const std::string& type) {
  const std::string sum = type.empty() ? "" : R"(, {"name": "sum", "type": ")" + type + "\"}";
  return Record("shop.Refund", R"(, {"name": "reason", "type": "string"})" + sum);
}

std::string Framed(int32_t schema_id, int64_t id) {
  std::string value = {0, 0, 0, 0, static_cast<char>(schema_id)};
  events::AppendLong(id, &value);
  return value;
}
std::string Refund(int64_t id, int32_t schema_id = kRefund) {
  return Framed(schema_id, id) + std::string("\x06why", 4);
}

}  // namespace

World::World(const Plan& a_plan, Mistake a_mistake, bool keep_text)
    : plan(a_plan),
      mistake(a_mistake),
      trace(keep_text),
      chance(a_plan.seed),
      scheduler(&chance, &trace),
      store(&scheduler),
      kafka(&scheduler, kTopic, Plan::kPartitions),
      registry(&scheduler, std::string(kTopic) + "-value") {
  layout.partition_values = {"US", "EU"};
  layout.side_tables = plan.side_tables;
  for (const auto& [id, schema] : events::SchemasById()) {
    if (id != events::kWithIdAsText) registry.Register(id, schema);
  }
  registry.RegisterElsewhere(kRefund, RefundWith(""));
  registry.RegisterElsewhere(kRefundWithSum, RefundWith("long"));
  registry.RegisterElsewhere(kRefundWithSumAsText, RefundWith("string"));
  std::string signup = events::kEventSchema;
  registry.RegisterElsewhere(kSignup, signup.replace(signup.find("Event"), 5, "Signup"));
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
  if (plan.side_tables && chance.Once(0.4)) return MakeOther(record);
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

// Of another type.
std::string World::MakeOther(ProducedRecord* record) {
  using Fate = ProducedRecord::Fate;
  const int64_t id = record->id;
  const int64_t kind = chance.Below(100);
  record->table = tables::SideTablePath(layout.table, kind < 65 ? "shop.Refund" : "Signup");
  if (kind < 45) return Refund(id);
  if (kind < 55) {
    std::string value = Refund(id, kRefundWithSum);
    events::AppendLong(id * 3, &value);
    // Unless a record with the sum as a text came first.
    record->fate = Fate::kEither;
    return value;
  }
  if (kind < 57) {
    record->fate = Fate::kEither;
    return Refund(id, kRefundWithSumAsText) + std::string("\x02x", 2);
  }
  if (kind < 65) {
    record->fate = Fate::kGarbage;
    return Framed(kRefund, id);
  }
  if (kind < 88) return events::Event(id, chance.Once(0.8) ? "US" : "EU", events::kOct24, kSignup);
  if (kind < 92) {
    record->fate = Fate::kGarbage;
    return events::Event(id, "MARS", events::kOct24, kSignup);
  }
  record->table = tables::SideTablePath(layout.table, "Late");
  record->fate = Fate::kEither;
  return Framed(kLateType, id);
}

std::vector<std::string> World::SidePaths() {
  std::vector<std::string> paths;
  const auto look = Look();
  const auto bronze = lake::Table::Open(look.get(), layout.table);
  if (!bronze.ok()) return paths;
  const auto types = tables::ReadRecordTypes(*(*bronze)->snapshot());
  if (!types.ok()) failures.push_back(types.status().ToString());
  for (const auto& [type, path] : types.ValueOr(tables::RecordTypes())) paths.push_back(path);
  return paths;
}

void World::CountSidesAhead() {
  if (kafka.id().empty()) return;
  const auto look = Look();
  for (const std::string& path : SidePaths()) {
    const auto side = lake::Table::Open(look.get(), path);
    for (int32_t partition = 0; side.ok() && partition < Plan::kPartitions; ++partition) {
      const auto txn = (*side)->snapshot()->Txn(tables::ProgressAppId(kafka.id(), partition));
      if (txn.value_or(0) <= LakeState(partition).next.value_or(0)) continue;
      return trace.Count("crash between a side table and Bronze");
    }
  }
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
        // No two have the same time, so that no two are equal.
        kafka.Produce(partition, "42", std::move(value),
                      events::kOct24 + events::kDay / 2 + record.id, open);
    record.value = kafka.log(partition).offsets[offset].value;
    partition_truth.records.resize(offset);
    partition_truth.records.push_back(record);
  }
  NoteEnd(partition);
}

void World::NoteEnd(int32_t partition) {
  Now()[partition].ends[scheduler.EpochMillis()] = kafka.log(partition).last_stable();
}

void World::MoveWallClock(int program, Millis by) {
  trace.Count("wall clock moved");
  scheduler.MoveWallClock(program, by);
  (by > Millis{0} ? clocks_ahead_ms : clocks_behind_ms) += std::abs(by.count());
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
  NoteEnd(partition);
}

tables::PartitionState World::LakeState(int32_t partition) {
  const auto look = Look();
  const auto table = lake::Table::Open(look.get(), layout.table);
  if (!table.ok()) return {};
  return tables::ReadPartitionState((*table)->snapshot()->Txns(), kafka.id(), partition);
}

void World::Expire(int32_t partition, int64_t amount) {
  if (kafka.id().empty()) return;
  const int64_t before = kafka.log(partition).log_start;
  const std::optional<int64_t> next = LakeState(partition).next;
  kafka.Expire(partition, before + amount);
  const int64_t after = kafka.log(partition).log_start;
  trace.Count("kafka: records expired", after > before);
  if (next == 0 && after > 0) trace.Count("kafka: expired in a partition that had been empty");
  for (int64_t offset = std::max(before, next.value_or(0)); offset < after; ++offset) {
    Now()[partition].expired.insert(offset);
    trace.Count("kafka: expired before it was read");
  }
}

void World::ExpireUnread(int32_t partition, int64_t amount) {
  if (kafka.id().empty()) return;
  Produce(partition, amount, /*open=*/false);
  Expire(partition, kafka.log(partition).end());
}

void World::LoseLeader(int32_t partition, Millis time) {
  if (kafka.id().empty()) return;
  trace.Count("kafka: leader lost");
  kafka.LoseLeader(partition);
  scheduler.After(time, [this, partition, id = kafka.id()] {
    if (kafka.id() == id) kafka.Elect(partition);
  });
}

void World::Lose(int32_t partition, int64_t end, int64_t grow,
                 void (SimulatedKafka::*cut)(int32_t, int64_t)) {
  const PartitionLog& log = kafka.log(partition);
  const tables::PartitionState state = LakeState(partition);
  // Between an operator's decision and the next record, the lake has nothing to compare with.
  if (operators > 0 || (state.next && state.accepted == state.next)) return;
  if (end < log.log_start || end >= log.end()) return;
  PartitionTruth& partition_truth = Now()[partition];
  for (int64_t offset = end; offset < log.end(); ++offset) {
    if (log.offsets[offset].kind == StoredOffset::Kind::kRecord) {
      partition_truth.replaced[offset].push_back(partition_truth.records[offset]);
    }
    partition_truth.aborted.erase(offset);
  }
  partition_truth.records.resize(end);
  partition_truth.lowest_cut = std::min(partition_truth.lowest_cut, end);
  (kafka.*cut)(partition, end);
  trace.Count("kafka: truncation");
  if (grow > 0) Produce(partition, grow, /*open=*/false);
  if (state.next.value_or(0) <= end) return;
  trace.Count("kafka: truncation below the lake");
  trace.Count("kafka: log cut and grown past the lake", log.end() >= *state.next ? 1 : 0);
}

void World::Truncate(int32_t partition, int64_t amount, bool grow) {
  if (kafka.id().empty()) return;
  const PartitionLog& log = kafka.log(partition);
  const int64_t end = std::max(log.log_start, log.end() - amount);
  Lose(partition, end, grow ? log.end() - end + chance.Between(0, 5) : 0,
       &SimulatedKafka::Truncate);
}

// A backup is made while the brokers are down, so it ends where an epoch does; the next epoch then
// has the same number again. That the lake's last record is gone can be seen only by its content,
// so the backup is older than it.
void World::Restore(int32_t partition, int64_t amount) {
  if (kafka.id().empty()) return;
  const PartitionLog& log = kafka.log(partition);
  const std::optional<tables::LastRecord> last = LakeState(partition).position.last;
  if (!last) return;
  std::vector<int64_t> ends;
  for (const auto& [epoch, start] : log.epochs) {
    if (start >= log.log_start && start <= last->offset) ends.push_back(start);
  }
  if (ends.empty()) return;
  Lose(partition, ends[chance.Below(std::ssize(ends))], amount, &SimulatedKafka::Restore);
}

void World::Corrupt(int32_t partition, Millis time) {
  if (kafka.id().empty()) return;
  const PartitionLog& log = kafka.log(partition);
  // Mostly where it has not been read yet.
  const int64_t newest = std::min<int64_t>(10, log.end() - log.log_start);
  if (newest == 0) return;
  kafka.Corrupt(partition, log.end() - chance.Between(1, newest));
  if (chance.Once(0.5)) return;  // No other replica has it.
  scheduler.After(time, [this, partition, id = kafka.id()] {
    if (kafka.id() == id) kafka.Elect(partition);
  });
}

void World::Repair(int32_t partition, bool completely) {
  if (kafka.id().empty()) return;
  const PartitionLog& log = kafka.log(partition);
  // What the lake has read cannot be given up.
  const bool unread = log.corrupt >= LakeState(partition).next.value_or(0);
  if (completely || !log.led || !unread) kafka.Elect(partition);
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
  registry.RegisterElsewhere(kLateType, Record("Late", ""));
  trace.Count("registry: a schema turns up late");
}

}  // namespace shopstream::simulate
