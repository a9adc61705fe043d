#pragma once

#include <cstdint>
#include <iterator>
#include <limits>
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
#include "tables/partition_state.h"

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
  std::string table = "";              // The side table of its type; empty: Bronze.
};

// The expected state of one partition of one incarnation of the topic.
struct PartitionTruth {
  static constexpr int64_t kNeverCut = std::numeric_limits<int64_t>::max();
  std::vector<ProducedRecord> records;  // By offset; markers have an unused entry.
  std::set<int64_t> aborted;            // Offsets that nobody may see: aborted records and markers.
  std::set<int64_t> expired;            // Before they were in the lake.
  // Records that Kafka lost by a truncation or a restored backup; others may have their offsets.
  std::map<int64_t, std::vector<ProducedRecord>> replaced;
  int64_t lowest_cut = kNeverCut;  // Where the log ended after the deepest cut.
  bool deleted = false;            // The topic is.
  // Where the log ended for readers since which time, in milliseconds.
  std::map<int64_t, int64_t> ends;

  int64_t EndBefore(int64_t ms) const {
    const auto next = ends.lower_bound(ms);
    return next == ends.begin() ? 0 : std::prev(next)->second;
  }
};

// The environment of a history.
struct World {
  World(const Plan& plan, Mistake mistake, bool keep_text);

  std::unique_ptr<lake::ObjectStore> Look() { return store.OpenForChecks(); }
  // The side tables that Bronze announces.
  std::vector<std::string> SidePaths();
  // Counts whether a program has just died between a commit to a side table and Bronze's.
  void CountSidesAhead();

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
  int operators = 0;                  // Programs that compare Kafka with the lake.
  // How much the wall clocks of programs may be ahead of, and behind, the time.
  int64_t clocks_ahead_ms = 0, clocks_behind_ms = 0;
  int64_t read_since_ms = 0;  // When the last ingest started.

  // ---- actions of producers and operators
  void Produce(int32_t partition, int64_t amount, bool open);
  void EndTransaction(int32_t partition, bool commit);
  void Expire(int32_t partition, int64_t amount);
  void ExpireUnread(int32_t partition, int64_t amount);
  void LoseLeader(int32_t partition, Millis time);
  void Truncate(int32_t partition, int64_t amount, bool grow);
  void Restore(int32_t partition, int64_t amount);
  void Corrupt(int32_t partition, Millis time);
  // Another replica leads if the partition has no leader, or if an operator cannot help otherwise.
  void Repair(int32_t partition, bool completely);
  void RecreateTopic();
  void RegisterLateSchema();
  void MoveWallClock(int program, Millis by);

 private:
  std::string MakeValue(ProducedRecord* record);
  std::string MakeOther(ProducedRecord* record);
  // Bronze's.
  tables::PartitionState LakeState(int32_t partition);
  // The brokers lose all from `end` on. `cut` makes them lose it.
  void Lose(int32_t partition, int64_t end, int64_t grow,
            void (SimulatedKafka::*cut)(int32_t, int64_t));
  std::vector<PartitionTruth>& Now() { return truth[kafka.id()]; }
  void NoteEnd(int32_t partition);
};

}  // namespace shopstream::simulate
