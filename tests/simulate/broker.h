#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "kafka/record_source.h"
#include "kafka/topic_metadata.h"

namespace shopstream::simulate {

// A Kafka with one topic, as a script acts on it: simulated or real.
class Broker {
 public:
  virtual ~Broker() = default;
  virtual const std::string& topic() const = 0;
  virtual Status CreateTopic(int partitions) = 0;
  virtual Status DeleteTopic() = 0;
  // Returns the record's offset. A partition has at most one open transaction.
  virtual Result<int64_t> Produce(int32_t partition, const std::string& value,
                                  bool in_transaction) = 0;
  virtual Status EndTransaction(int32_t partition, bool commit) = 0;
  // Deletes the records below the offset.
  virtual Status Expire(int32_t partition, int64_t log_start) = 0;
  virtual Result<std::unique_ptr<kafka::RecordSource>> OpenSource(bool read_committed) = 0;
  virtual std::unique_ptr<kafka::TopicMetadata> OpenMetadata() = 0;
};

}  // namespace shopstream::simulate
