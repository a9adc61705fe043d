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

// What became of a record that a producer was told is in Kafka.
struct ProducedRecord {
  int64_t id = 0;  // Of its event; -1: it has none.
  enum class Fate {
    kRow,      // Every ingest can read it.
    kGarbage,  // None can.
    kEither,   // That depends on what was known when.
  } fate = Fate::kRow;
  const std::string* value = nullptr;  // Null: a null value.
};

// What is true of one partition of one incarnation of the topic.
struct PartitionTruth {
  std::vector<ProducedRecord> records;  // By offset; markers have an entry that is not looked at.
  std::set<int64_t> aborted;            // Offsets that nobody may see: aborted, or a marker.
  std::set<int64_t> expired;            // Before the lake had them.
  std::set<int64_t> disturbed;          // Truncated once: what had them may be another record now.
  bool deleted = false;                 // The topic is.
};

// All that a history happens in.
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
  std::vector<std::string> failures;  // The first of them says what went wrong.

  // ---- deeds of producers and operators
  void Produce(int32_t partition, int64_t amount, bool open);
  void EndTransaction(int32_t partition, bool commit);
  void Expire(int32_t partition, int64_t amount);
  void Truncate(int32_t partition, int64_t amount);
  void RecreateTopic();
  void RegisterLateSchema();

 private:
  std::string MakeValue(ProducedRecord* record);
  // Of Bronze; nothing where the lake has never heard of the partition.
  std::optional<int64_t> LakeTxn(int32_t partition);
  std::vector<PartitionTruth>& Now() { return truth[kafka.id()]; }
};

}  // namespace shopstream::simulate
