#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "kafka/group_admin.h"
#include "kafka/topic_metadata.h"

namespace shopstream::kafka {

// Where a group is to continue in each partition.
struct ResetTarget {
  enum class Kind {
    kEarliest,  // The oldest record that Kafka still has.
    kLatest,    // What comes from now on.
    kTime,      // The first record at `number`, in milliseconds since 1970.
    kOffset,    // `number`.
    kListed,    // As in `listed`.
  };
  Kind kind = Kind::kEarliest;
  int64_t number = 0;
  std::map<TopicPartition, int64_t> listed{};
};

// What Kafka answered about a partition.
struct ResetFacts {
  std::optional<int64_t> committed;  // Nothing: the group has committed none.
  Result<OffsetSpan> span;
  // For kTime: the first offset at the time, -1 if no record is that late.
  Result<int64_t> at_time = -1;
};

// The change of one partition.
struct OffsetReset {
  TopicPartition at;
  std::optional<int64_t> before;
  std::optional<OffsetSpan> span;  // Nothing: unknown.
  std::optional<int64_t> after;    // Nothing: it cannot be reset.
  std::string note;                // Why it cannot be, or what is unusual about it.
};

// Pure. An offset that Kafka does not have is refused rather than moved into the range: a consumer
// would go to the start or the end instead, as its auto.offset.reset decides.
OffsetReset PlanReset(const TopicPartition& at, const ResetTarget& target, const ResetFacts& facts);

// A file with lines "topic,partition,offset", as kafka-consumer-groups.sh writes them. Empty lines,
// lines that begin with # and a first line with these three words are ignored; the topic may be in
// double quotes. Invalid names the line; `name`: of the file, for messages.
Result<std::map<TopicPartition, int64_t>> ParseOffsetFile(const std::string& text,
                                                          const std::string& name);

}  // namespace shopstream::kafka
