#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "ingest/bronze_layout.h"
#include "ingest/side_tables.h"
#include "kafka/topic_metadata.h"
#include "lake/delta/table.h"
#include "model/offset_range.h"
#include "tables/partition_state.h"

namespace shopstream::ingest {

// Where to start reading a partition, according to the lake.
struct StartPosition {
  enum class Verdict {
    kRead,
    kBeyondEnd,       // The lake is ahead of Kafka, which lost records or is another cluster.
    kStopped,         // According to the table, only an operator can continue it.
    kRowsWithoutTxn,  // Rows of this topic, but no record of its progress.
    kUnknownYet,      // Kafka does not answer for the partition; the rest is not set.
  };
  Verdict verdict = Verdict::kRead;
  int32_t partition = 0;
  int64_t begin = 0;   // Where the next cut's range begins.
  int64_t offset = 0;  // Where to start reading; above `begin` if records expired. Below it,
                       // records up to `begin` are ignored: an operator accepted that they differ.
  std::optional<int64_t> fence;  // The table's txn. Nothing: the table does not know the partition.
  std::optional<int64_t> quarantine_fence;  // The quarantine table's.
  // Quarantined already, or copies in an adopted mirror, at or above `begin`: offset ->
  // kafka::ContentHash.
  static constexpr int64_t kAnyRecord = 0;
  std::map<int64_t, int64_t> quarantined;
  std::map<std::string, int64_t> side_fences;  // The txns of the side tables, by path.
  // Offsets at or above `begin` that a side table already has, with the row's Kafka timestamp.
  // Nothing: any record matches.
  std::map<int64_t, std::optional<int64_t>> in_sides;
  kafka::OffsetSpan kafka;
  tables::Position position;
  tables::Stop stop;
  std::optional<int64_t> accepted, complete_through_ms;  // See tables::PartitionState.
  // Kafka may remove single records, as in a compacted topic. True if that is not known.
  bool removes_records = true;
  std::string why;  // With kUnknownYet.

  std::optional<OffsetRange> lost() const;
};

// Decides from what the table knows, Kafka's span, and whether the table has rows of the partition.
StartPosition DecideStart(int32_t partition, const tables::PartitionState& state,
                          kafka::OffsetSpan kafka, bool has_rows);

void LogStopped(int32_t partition, const std::string& topic, const tables::Stop& stop);

// Logs what an operator must know about the start. Invalid: it cannot be decided.
Status Announce(const StartPosition& start, const std::string& topic, const std::string& topic_id);

// A topic's id, and the offset ranges of some of its partitions in Kafka.
struct TopicSpans {
  std::string id;
  // An error: why Kafka does not answer for this partition.
  std::map<int32_t, Result<kafka::OffsetSpan>> spans;
};
// KeyError: the topic does not exist. Unavailable: no broker answers, or the topic was deleted or
// created again while it was being read.
Result<TopicSpans> ReadTopicSpans(kafka::TopicMetadata* topics, const std::string& topic,
                                  const std::vector<int32_t>& partitions);

// Loads all tables and decides for each partition. `sides` may be null: there are none.
Result<std::vector<StartPosition>> FindStartPositions(lake::Table* bronze, lake::Table* quarantine,
                                                      SideTables* sides, const TopicSpans& topic);

// Finds starts for the partitions of one topic, and follows the topic when it is created again.
class StartFinder {
 public:
  // All borrowed; they outlive it.
  StartFinder(kafka::TopicMetadata* topics, std::string topic, lake::Table* bronze,
              lake::Table* quarantine, SideTables* sides)
      : topics_(topics),
        topic_(std::move(topic)),
        bronze_(bronze),
        quarantine_(quarantine),
        sides_(sides) {}

  const std::string& topic() const { return topic_; }
  // As of the last question; empty: not asked yet.
  const std::string& topic_id() const { return topic_id_; }
  lake::Table* bronze() const { return bronze_; }

  // As ReadTopicSpans and FindStartPositions. Also reads the topic's clean-up policy, which this
  // user may not be allowed to see.
  Result<std::vector<StartPosition>> Find(const std::vector<int32_t>& partitions);
  Result<TopicSpans> ReadSpans(const std::vector<int32_t>& partitions) const {
    return ReadTopicSpans(topics_, topic_, partitions);
  }

 private:
  void LeaveOutNewProgress(const lake::Snapshot& before, std::vector<StartPosition>* starts) const;

  kafka::TopicMetadata* const topics_;
  const std::string topic_;
  lake::Table* const bronze_;
  lake::Table* const quarantine_;
  SideTables* const sides_;
  std::string topic_id_;
};

}  // namespace shopstream::ingest
