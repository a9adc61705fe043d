#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/admin.h"
#include "lake/object_store.h"

namespace shopstream::observe {

struct PartitionLag {
  int32_t partition = 0;
  std::optional<int64_t> txn;        // The lake's own progress: the truth.
  std::optional<int64_t> committed;  // What ingest told Kafka, for displays only.
  int64_t log_start = 0, end = 0;    // Of Kafka.
  int64_t lag = 0;                   // Offsets not in the lake yet.
  // Age of the first record not in the lake, by its Kafka timestamp; nothing if the record has none
  // or one outside the years 0001 to 9999, or if Kafka did not hand it over in time.
  std::optional<int64_t> lag_ms;

  // Kafka removed [txn, log_start) before ingest came to it.
  bool lost() const { return txn && *txn < log_start; }
  // The lake has read what Kafka does not hold (any more): Kafka lost it.
  bool beyond_kafka() const { return txn && *txn > end; }
  int64_t next() const { return txn ? std::max(*txn, log_start) : log_start; }
};

// The txns of Bronze's newest snapshot; none where ingest has not made the table yet.
Result<std::map<std::string, int64_t>> ReadBronzeTxns(lake::ObjectStore* store,
                                                      const std::string& bronze_table);

// `txns` as of Bronze's snapshot; `topic` as Kafka gives it now. Blocks at most `patience` for
// the records whose age is asked for, besides the admin's own time-outs.
Result<std::vector<PartitionLag>> MeasureLag(const KafkaConfig& config, kafka::Admin* admin,
                                             const kafka::TopicState& topic,
                                             const std::map<std::string, int64_t>& txns,
                                             Millis patience = Millis{5000});

}  // namespace shopstream::observe
