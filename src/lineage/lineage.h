#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/status.h"
#include "lake/store/object_store.h"
#include "lineage/adding_commit.h"
#include "lineage/gold_cells.h"
#include "lineage/stored_row.h"

namespace shopstream::lineage {

// What Kafka has of a partition now.
struct KafkaSpan {
  std::string topic_id = {};                        // Empty: unknown, or there is no such topic.
  std::optional<int64_t> log_start = {}, end = {};  // Nothing: unknown.
  std::string unknown = {};                         // Why one of them is.
};
using FindKafkaSpan = std::function<KafkaSpan(int32_t partition)>;

// What became of a record on its way into the lake.
enum class Arrival {
  kInLake,       // In Bronze, or in the table of its record type.
  kQuarantined,  // Undecodable, and not replayed.
  kErased,       // By `table erase`.
  kExpired,      // By `table retain`; Silver may still have it.
  kLost,         // Kafka removed it before ingest read it, or an operator accepted its loss.
  kNoRecord,     // The offset never held one: a marker of a transaction, or compaction removed it.
  kAwaited,      // Kafka has it, and ingest has not read it yet.
  kNotProduced,  // Beyond Kafka's end.
  kMissing,      // It should be in the lake and is not.
  kUnknown,      // Kafka does not answer.
};
const char* Name(Arrival arrival);  // "in_lake"

// What refine decided about a record in Bronze.
enum class Verdict {
  kNone,  // It is not in Bronze.
  kSilver,
  kRejected,   // By rules, or because it is not computable or its date is closed.
  kDuplicate,  // Of a row that is in Silver.
  kAwaited,    // Not refined yet.
  kMissing,    // Refined, and in neither table.
  kNoRefine,   // The lake has no Silver, or the record's type is not refined.
};
const char* Name(Verdict verdict);  // "silver"

struct QuarantineEntry {
  StoredRow row;
  CommitSearch added;
  bool replayed = false;  // `quarantine replay` has added it to Bronze since.
};

// The path of one record.
struct RecordLineage {
  std::string topic;  // Its name, as configured or as in the lake.
  RecordKey key;
  KafkaSpan kafka = {};
  std::optional<bool> in_kafka = {};  // Whether Kafka still has the offset; nothing: unknown.

  Arrival arrival = Arrival::kUnknown;
  std::string reason = {}, remedy = {};  // For people; the remedy may be empty.

  std::optional<StoredRow> bronze = {};  // Or the table of its type.
  RowCommit added = {};                  // To that table.
  CommitSearch moved = {};  // The commit that wrote the row's file, if the row has moved.
  std::optional<QuarantineEntry> quarantine = {};

  Verdict verdict = Verdict::kNone;
  std::string verdict_reason = {};        // For people.
  std::optional<StoredRow> refined = {};  // In Silver or in rejects.
  std::optional<int64_t> pass = {};       // Its refine_pass.
  std::vector<std::string> reasons = {};  // Of rejects.
  std::vector<StoredRow> original = {};   // With kDuplicate: the row in Silver that it repeats.
  std::vector<GoldCell> gold = {};
  std::string gold_unknown = {};  // Why there is none that could be found; empty otherwise.
};
nlohmann::ordered_json ToJson(const RecordLineage& record);
nlohmann::ordered_json ToJson(const CommitSearch& search);

struct LineageOptions {
  FindKafkaSpan kafka;
  std::function<bool()> stop = [] { return false; };  // The answer is then Cancelled.
};

// One for each topic id whose record at this place the lake has: a topic that was deleted and
// created again has several. If the lake has none, what is known of the offset. Statistics and
// partition values prune what is read. KeyError: the lake has no Bronze table.
Result<std::vector<RecordLineage>> TraceRecord(lake::ObjectStore* store, const Config& config,
                                               int32_t partition, int64_t offset,
                                               const LineageOptions& options);

// The records with this event id, at most 20: copies have the same. Reads the ids of all files that
// statistics cannot rule out, the newest first. Empty: the lake has no such event.
Result<std::vector<RecordLineage>> TraceEvent(lake::ObjectStore* store, const Config& config,
                                              const std::string& id, const LineageOptions& options);

}  // namespace shopstream::lineage
