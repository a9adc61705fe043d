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

// Reads given ranges of a topic's partitions once, outside any group. One thread.
class Reader {
 public:
  // A range may begin below the log start: it is then read from there. `end` may be past Kafka's
  // end, to follow a topic for ever (INT64_MAX).
  static Result<std::unique_ptr<Reader>> Open(const KafkaConfig& config,
                                              const std::vector<OffsetRange>& ranges,
                                              const ConsumerOptions& options = {});

  // Waits up to `timeout`; records outside the ranges are left out. An empty batch: none came yet.
  Result<RecordBatch> Next(Millis timeout);

  // Every range has been read to its end.
  bool done() const { return left_.empty(); }

 private:
  Reader(std::unique_ptr<Consumer> consumer, const std::vector<OffsetRange>& ranges);
  Status Finish(int32_t partition);

  std::unique_ptr<Consumer> consumer_;
  std::set<int32_t> moved_to_log_start_;
  std::map<int32_t, OffsetRange> left_;  // `begin` moves up to what is read next.
};

}  // namespace shopstream::kafka
