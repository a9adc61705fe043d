#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/offset_range.h"

// The state that Bronze keeps for one Kafka partition besides its progress, so that a lost, cut or
// restored log is noticed. It consists of txn actions, because they outlive the log's clean-up,
// compaction and maintenance by other programs:
//
//   appId := "shopstream-state/" topic-id "/" partition "/" name
//   name  := "last-offset" | "last-epoch" | "last-timestamp" | "last-hash" | "end-epoch"
//          | "empty-from" | "empty-to" | "empty-count" | "empty-sum"
//          | "stop-reason" | "stop-at" | "stop-kafka" | "accepted" | "lost/" begin
//          | "complete-through"
//
// The appId of the progress itself starts with "shopstream/", see progress.h: its readers must not
// mistake one of these for it. docs/lake.md describes the versions.
namespace shopstream::tables {

using Txns = std::map<std::string, int64_t>;  // appId -> version

// The last record that ingest took, below the progress.
struct LastRecord {
  int64_t offset = 0;
  int32_t leader_epoch = -1;  // -1: unknown.
  int64_t timestamp_ms = -1;  // Kafka's; -1: the record has none.
  int64_t hash = 0;           // kafka::ContentHash, which is never 0. 0: unknown.

  bool operator==(const LastRecord&) const = default;
};

// Whether both can be the same record. Values that one of them lacks are not compared.
bool MayBeSame(const LastRecord& one, const LastRecord& other);

// The offsets of [from, to) that held no record when ingest passed them: markers of transactions,
// records of aborted ones, what compaction removed. Lost offsets are not among them. Count and sum
// are exact and take no more room for a billion offsets than for one.
struct EmptyOffsets {
  int64_t from = 0, to = 0;
  int64_t count = 0;
  int64_t sum = 0;  // Modulo 2^63.

  // Counts [begin, end) as empty; does not move `to`.
  void Skip(int64_t begin, int64_t end);
  // No longer counts what `part` counts.
  void Remove(const EmptyOffsets& part);
  // A difference of two sums.
  static int64_t Minus(int64_t sum, int64_t other);
  bool operator==(const EmptyOffsets&) const = default;
};

// Why a partition is not read until an operator decides. The numbers are stored.
enum class StopReason {
  kNone = 0,
  kBeyondEnd = 1,    // The progress is beyond Kafka's end.
  kOtherRecord = 2,  // Kafka has another record at an offset that ingest took.
  kTruncated = 3,    // Kafka's log ends, or ended, an epoch below what ingest read of it.
  kAdopted = 4,      // A mirror was adopted in the topic's place, see adoption.h.
};
const char* Name(StopReason reason);
// A clause that follows "partition 1 is not read: ".
const char* Meaning(StopReason reason);

struct Stop {
  StopReason reason = StopReason::kNone;
  int64_t at_ms = 0;          // When, since the Unix epoch.
  int64_t kafka_offset = -1;  // Where Kafka's log differs or ends; -1: unknown.

  bool operator==(const Stop&) const = default;
};

struct Position {
  std::optional<LastRecord> last;     // Nothing: none was taken, or none is known.
  int32_t end_epoch = -1;             // Leader epoch of the last offset below the progress.
  std::optional<EmptyOffsets> empty;  // Its `to` equals the progress.

  bool operator==(const Position&) const = default;
};

struct PartitionState {
  std::optional<int64_t> next;  // The progress; nothing: the table does not know the partition.
  Position position;
  Stop stop;
  std::optional<int64_t> accepted;  // The progress at which an operator accepted a loss.
  std::vector<OffsetRange> lost;    // Never read, ascending by begin; they may overlap.
  // What Kafka held of the partition at this time is in the lake, by the clock of the ingest that
  // read it. Milliseconds since the Unix epoch; nothing: unknown.
  std::optional<int64_t> complete_through_ms;

  bool stopped() const { return stop.reason != StopReason::kNone; }
};

// Values that are absent, or that no ingest writes, are read as unknown. `empty` and `end_epoch`
// are known only if they belong to the progress: an earlier program advances only the progress.
PartitionState ReadPartitionState(const Txns& txns, const std::string& topic_id, int32_t partition);

void Put(const std::string& topic_id, int32_t partition, const Position& position, Txns* txns);
void Put(const std::string& topic_id, int32_t partition, const Stop& stop, Txns* txns);
// The larger end is kept if the begin is there already.
void PutLost(const std::string& topic_id, const OffsetRange& lost, Txns* txns);
// An operator accepts what was lost below `end`, the progress: the partition is read again, and
// there is no longer a last record to compare with.
void PutAccepted(const std::string& topic_id, int32_t partition, int64_t end, Txns* txns);
void PutCompleteThrough(const std::string& topic_id, int32_t partition, int64_t ms, Txns* txns);

// Through when a table has everything: the least of the partitions' values, of the topic whose
// value is the greatest, since one that was deleted gets no more records. Nothing: unknown for a
// partition of which the table has the progress.
std::optional<int64_t> ReadCompleteThrough(const Txns& txns);

// Removes from `changes` what the table has already. Progress is never removed.
void DropKnown(const Txns& table, Txns* changes);

}  // namespace shopstream::tables
