#pragma once

#include <cstdint>
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

// Reads the given ranges of a topic's partitions once, outside any group. One thread.
class Reader {
 public:
  // A range may begin below the log start: reading then starts there. `end` may be beyond Kafka's
  // end, or INT64_MAX to follow a topic indefinitely.
  static Result<std::unique_ptr<Reader>> Open(const KafkaConfig& config,
                                              const std::vector<OffsetRange>& ranges,
                                              const ConsumerOptions& options = {});

  // Waits up to `timeout`; omits records outside the ranges. An empty batch: none arrived yet.
  Result<RecordBatch> Next(Millis timeout);

  // Every range has been read to its end.
  bool done() const { return left_.empty(); }

 private:
  Reader(std::unique_ptr<Consumer> consumer, const std::vector<OffsetRange>& ranges);
  Status Finish(int32_t partition);

  std::unique_ptr<Consumer> consumer_;
  std::set<int32_t> moved_to_log_start_;
  std::map<int32_t, OffsetRange> left_;  // `begin` advances to the next offset to read.
};

}  // namespace shopstream::kafka
