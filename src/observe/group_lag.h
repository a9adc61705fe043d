#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/admin.h"
#include "kafka/group_admin.h"

namespace shopstream::observe {

// How far a group is in a partition, by the offset that it has committed to Kafka.
struct GroupPartitionLag {
  kafka::TopicPartition at;
  std::optional<int64_t> committed;
  std::string unknown;                      // Why Kafka does not answer for the partition.
  std::optional<kafka::OffsetSpan> span{};  // Nothing: unknown.
  // Offsets from the committed one, or the log start above it, to the end. Nothing: unknown, or no
  // offset is committed.
  std::optional<int64_t> lag{};
  // Age of the first record in them; nothing: unknown.
  std::optional<int64_t> lag_ms{};
  std::string member{};  // Empty: no member reads it.

  bool known() const { return unknown.empty(); }
  // Kafka removed records before the group read them.
  bool expired() const { return committed && span && *committed < span->log_start; }
  // Kafka lost records, or the topic was created again.
  bool beyond_kafka() const { return committed && span && *committed > span->end; }
};

// Without the ages. Pure.
GroupPartitionLag LagOf(const kafka::TopicPartition& at,
                        const std::optional<Result<kafka::CommittedOffset>>& committed,
                        const Result<kafka::OffsetSpan>& span);

using CommittedOffsets = std::map<kafka::TopicPartition, Result<kafka::CommittedOffset>>;

// Every partition of each topic of which the group has committed an offset or a member reads a
// partition. Blocks for at most `patience` for the records of each topic whose age is needed, in
// addition to the admin's own timeouts.
std::vector<GroupPartitionLag> MeasureGroup(const KafkaConfig& config, kafka::Admin* admin,
                                            const kafka::GroupDescription& group,
                                            const CommittedOffsets& committed,
                                            Millis patience = Millis{5000});

}  // namespace shopstream::observe
