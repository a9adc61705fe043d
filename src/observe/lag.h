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
#include "lake/store/object_store.h"
#include "tables/partition_state.h"

namespace shopstream::observe {

struct PartitionLag {
  int32_t partition = 0;
  std::optional<int64_t> txn;        // The lake's own progress, which decides.
  std::optional<int64_t> committed;  // Committed to Kafka by ingest, only for displays.
  std::string unknown;  // Why Kafka does not answer for the partition; then nothing below is known.
  int64_t log_start = 0, end = 0;  // Kafka's.
  int64_t lag = 0;                 // Offsets that are not in the lake yet.
  // Age of the first record that is not in the lake, by its Kafka timestamp; nothing if the record
  // has none or one outside the years 0001 to 9999, or if Kafka did not return it in time or at
  // all.
  std::optional<int64_t> lag_ms;
  tables::Stop stop{};  // Why ingest does not read it, until an operator decides.

  bool known() const { return unknown.empty(); }
  // Kafka removed [txn, log_start) before ingest read it.
  bool lost() const { return known() && txn && *txn < log_start; }
  bool stopped() const { return stop.reason != tables::StopReason::kNone; }
  // The lake has read more than Kafka has: Kafka lost records.
  bool beyond_kafka() const { return known() && txn && *txn > end; }
  int64_t next() const { return txn ? std::max(*txn, log_start) : log_start; }
};

// The txns of Bronze's newest snapshot; none if ingest has not created the table yet.
Result<std::map<std::string, int64_t>> ReadBronzeTxns(lake::ObjectStore* store,
                                                      const std::string& bronze_table);

// `txns` as of Bronze's snapshot; `topic` as Kafka currently has it. Blocks for at most `patience`
// for the records whose age is needed, in addition to the admin's own timeouts.
Result<std::vector<PartitionLag>> MeasureLag(const KafkaConfig& config, kafka::Admin* admin,
                                             const kafka::TopicState& topic,
                                             const std::map<std::string, int64_t>& txns,
                                             Millis patience = Millis{5000});

}  // namespace shopstream::observe
