#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/record.h"

namespace shopstream::kafka {

// One message, exactly as it is to be written.
struct SingleMessage {
  std::string topic;
  std::optional<int32_t> partition;  // Nothing: by the key, as all producers of the wire contract.
  std::optional<std::string> key;    // Nothing: a null key.
  std::optional<std::string> value;  // Nothing: a tombstone.
  Headers headers;                   // In this order.
  std::optional<int64_t> timestamp_ms;  // Nothing: now.
};

struct WrittenAt {
  int32_t partition = 0;
  int64_t offset = 0;
};

// Opens a client, writes the message to all in-sync replicas and waits for the answer. Unavailable:
// no answer in time; the message may still have been written.
Result<WrittenAt> ProduceOne(const KafkaConfig& config, const SingleMessage& message,
                             Millis timeout = Millis{10000});

}  // namespace shopstream::kafka
