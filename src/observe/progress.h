#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/admin.h"
#include "lake/store/object_store.h"
#include "observe/parting.h"
#include "tables/partition_state.h"

namespace shopstream::observe {

// How far the lake has read one partition of the topic, and what stops it.
struct PartitionReport {
  int32_t partition = 0;
  tables::PartitionState state;
  std::optional<kafka::OffsetSpan> kafka;  // Nothing: Kafka does not answer for the partition.
  // Why it does not, or why it is not known what a stopped partition would lose.
  std::string unknown;
  // Only of a stopped partition: what an operator gives up by continuing it.
  std::optional<OffsetRange> would_lose;
  tables::EmptyOffsets empty_in_loss;  // What the ledger counts there.
  Parting::Records records_to_lose;    // Kafka's records there, which the lake does not have.

  int64_t lost_before() const;  // Offsets in state.lost.
};

struct ProgressReport {
  std::string topic, topic_id;
  std::vector<PartitionReport> partitions;

  bool any_stopped() const;
  bool any_unknown() const;
};
nlohmann::ordered_json ToJson(const ProgressReport& report);

struct ProgressOptions {
  // How long Kafka may take between two answers to a reader.
  Millis patience{30'000};
  // Called about once per second with the current step.
  std::function<void(const std::string&)> progress = [](const std::string&) {};
};

// For a stopped partition both tables and Kafka's log are read in full and compared. KeyError:
// there is no such topic. Cancelled when a shutdown is requested.
Result<ProgressReport> ShowProgress(const KafkaConfig& config, const LakeConfig& lake,
                                    kafka::Admin* admin, lake::ObjectStore* store,
                                    const ProgressOptions& options);

}  // namespace shopstream::observe
