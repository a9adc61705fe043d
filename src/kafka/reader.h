#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/consumer.h"
#include "kafka/record.h"
#include "model/offset_range.h"

namespace shopstream::kafka {

// Reads the given ranges of a topic's partitions once, outside any group. A partition that cannot
// be read further is left out, and the others continue. One thread.
class Reader {
 public:
  // The ranges of a partition ascend and do not overlap. A range may begin below the log start:
  // reading then starts there. `end` may be beyond Kafka's end, or INT64_MAX to follow a topic
  // indefinitely.
  static Result<std::unique_ptr<Reader>> Open(const KafkaConfig& config,
                                              const std::vector<OffsetRange>& ranges,
                                              const ConsumerOptions& options = {});

  // Waits up to `timeout`; omits records outside the ranges. An empty batch: none arrived yet.
  Result<RecordBatch> Next(Millis timeout);

  // Reads these ranges from now on, with the same connections. Drops what is left of earlier ones
  // and forgets partitions that have failed.
  Status ReadNext(const std::vector<OffsetRange>& ranges);

  // Every range has been read to its end, or its partition has failed.
  bool done() const { return left_.empty(); }
  // Some of the partition is left to read.
  bool reads(int32_t partition) const { return left_.contains(partition); }

  // The partitions that were not read to the end of their ranges, and why.
  const std::map<int32_t, Status>& failed() const { return failed_; }
  // The partitions not read to their end have failed for this reason.
  Status GiveUp(const Status& why);

 private:
  explicit Reader(std::unique_ptr<Consumer> consumer);
  Status EndRange(int32_t partition);
  Status Fail(int32_t partition, const Status& why);
  Status TakeRecords(PollResult* polled, RecordBatch* wanted, std::set<int32_t>* ended);
  Status FollowLogStart(int32_t partition);

  std::unique_ptr<Consumer> consumer_;
  std::set<int32_t> moved_to_log_start_;
  // The first one of a partition is being read; its `begin` advances to the next offset to read.
  std::map<int32_t, std::deque<OffsetRange>> left_;
  std::map<int32_t, Status> failed_;
};

}  // namespace shopstream::kafka
