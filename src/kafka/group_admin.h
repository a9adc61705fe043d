#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/group_members.h"
#include "kafka/topic_partition.h"

namespace shopstream::kafka {

// What a group has committed to Kafka for a partition.
struct CommittedOffset {
  int64_t offset = 0;    // The next to read.
  std::string metadata;  // Whatever its consumer added.
};

struct GroupList {
  // By name. Also empty groups, as long as Kafka keeps their offsets. One that could not be
  // described has the error instead.
  std::map<std::string, Result<GroupDescription>> groups;
  std::vector<Status> failures;  // Of brokers that did not answer: their groups are missing.
};

// The consumer groups of a cluster, classic ones and those of KIP-848; groups of Kafka Connect,
// share groups and streams groups are left out. Every call blocks and is bounded by the timeout.
// Thread-safe.
class GroupAdmin {
 public:
  static Result<std::unique_ptr<GroupAdmin>> Open(const KafkaConfig& config,
                                                  Millis timeout = Millis{10000});
  ~GroupAdmin();

  // Kafka silently omits groups that the user may not see.
  Result<GroupList> List();
  // The offsets that the group has committed, of all topics. Empty: none, or there is no such
  // group. An error of a partition concerns it alone.
  Result<std::map<TopicPartition, Result<CommittedOffset>>> Committed(const std::string& group);
  // Commits the offsets for the group; each partition has its own answer. Kafka refuses while the
  // group has members.
  std::map<TopicPartition, Status> Commit(const std::string& group,
                                          const std::map<TopicPartition, int64_t>& offsets);

 private:
  struct Impl;
  explicit GroupAdmin(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream::kafka
