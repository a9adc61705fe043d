#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ingest/bronze_layout.h"
#include "simulate/chance.h"
#include "simulate/kafka.h"
#include "simulate/mistakes.h"
#include "simulate/plan.h"
#include "simulate/registry.h"
#include "simulate/scheduler.h"
#include "simulate/store.h"

namespace shopstream::simulate {

inline constexpr char kTopic[] = "purchases";

// The fate of a record that Kafka acknowledged.
struct ProducedRecord {
  int64_t id = 0;  // Of its event; -1: it has none.
  enum class Fate {
    kRow,      // Every ingest can decode it.
    kGarbage,  // No ingest can decode it.
    kEither,   // Depends on what was known at the time.
  } fate = Fate::kRow;
  const std::string* value = nullptr;  // Null: a null value.
};

// The expected state of one partition of one incarnation of the topic.
struct PartitionTruth {
  std::vector<ProducedRecord> records;  // By offset; markers have an unused entry.
  std::set<int64_t> aborted;            // Offsets that nobody may see: aborted records and markers.
  std::set<int64_t> expired;            // Before they were in the lake.
  std::set<int64_t> disturbed;          // Truncated once: another record may have the offset now.
  bool deleted = false;                 // The topic is.
};

// The environment of a history.
struct World {
  World(const Plan& plan, Mistake mistake, bool keep_text);

  std::unique_ptr<lake::ObjectStore> Look() { return store.OpenForChecks(); }

  const Plan plan;
  const Mistake mistake;
  Trace trace;
  Chance chance;
  Scheduler scheduler;
  SimulatedStore store;
  SimulatedKafka kafka;
  SimulatedRegistry registry;
  ingest::LayoutOptions layout;
  std::map<std::string, std::vector<PartitionTruth>> truth;  // By topic id.
  int64_t next_id = 1;
  std::vector<std::string> failures;  // The first one explains what went wrong.

  // ---- actions of producers and operators
  void Produce(int32_t partition, int64_t amount, bool open);
  void EndTransaction(int32_t partition, bool commit);
  void Expire(int32_t partition, int64_t amount);
  void Truncate(int32_t partition, int64_t amount);
  void RecreateTopic();
  void RegisterLateSchema();

 private:
  std::string MakeValue(ProducedRecord* record);
  // Bronze's; nothing if the partition is new to the lake.
  std::optional<int64_t> LakeTxn(int32_t partition);
  std::vector<PartitionTruth>& Now() { return truth[kafka.id()]; }
};

}  // namespace shopstream::simulate
