#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "ingest/bronze_layout.h"
#include "kafka/topic_metadata.h"
#include "lake/delta/table.h"
#include "model/offset_range.h"

namespace shopstream::ingest {

// Where to start reading a partition, according to the lake.
struct StartPosition {
  enum class Verdict {
    kRead,
    kBeyondEnd,       // The lake is ahead of Kafka, which lost records or is another cluster.
    kRowsWithoutTxn,  // Rows of this topic, but no record of its progress.
  };
  Verdict verdict = Verdict::kRead;
  int32_t partition = 0;
  int64_t begin = 0;             // Where the next cut's range begins.
  int64_t offset = 0;            // Where to start reading; above `begin` if records expired.
  std::optional<int64_t> fence;  // The table's txn.
  std::optional<int64_t> quarantine_fence;  // The quarantine table's.
  std::set<int64_t> quarantined;  // Offsets at or above `begin` that are quarantined already.

  std::optional<OffsetRange> lost() const;
};

// Decides from the table's txn, Kafka's span, and whether the table has rows of the partition.
StartPosition DecideStart(int32_t partition, std::optional<int64_t> txn, kafka::OffsetSpan kafka,
                          bool has_rows);

// Logs what an operator has to know about the start. Invalid: it cannot be decided.
Status Announce(const StartPosition& start, const std::string& topic, const std::string& topic_id);

// A topic's id, and the offset range of each of its partitions in Kafka.
struct TopicSpans {
  std::string id;
  std::vector<kafka::OffsetSpan> spans;  // By partition.
};
// KeyError: the topic, or one of the partitions, does not exist. Unavailable: it was deleted or
// created again while it was being read.
Result<TopicSpans> ReadTopicSpans(kafka::TopicMetadata* topics, const std::string& topic,
                                  const std::vector<int32_t>& partitions);

// Loads both tables and decides for each partition. `spans` is indexed by partition.
Result<std::vector<StartPosition>> FindStartPositions(lake::Table* bronze, lake::Table* quarantine,
                                                      const std::string& topic_id,
                                                      const std::vector<int32_t>& partitions,
                                                      const std::vector<kafka::OffsetSpan>& spans);

}  // namespace shopstream::ingest
