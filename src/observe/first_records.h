#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/consumer.h"

namespace shopstream::observe {

// When the first record that is not in the lake was sent, for each partition. A record is read only
// once: when the progress has moved. One thread.
class FirstRecords {
 public:
  explicit FirstRecords(const KafkaConfig& config);

  struct Wanted {
    int64_t next = 0;  // Where to begin: offsets may be skipped.
    int64_t end = 0;   // Kafka's; above `next`.
  };
  // Kafka's timestamps in milliseconds since the Unix epoch. A partition is left out if its record
  // has no timestamp or cannot be read, or if Kafka does not return it within `patience`.
  std::map<int32_t, int64_t> SentMillis(const std::string& topic_id,
                                        const std::map<int32_t, Wanted>& wanted, Millis patience);

 private:
  struct Found {
    Wanted at;
    std::optional<int64_t> sent_ms;  // Nothing: there is no record below `end`, or no timestamp.
  };
  using Missing = std::map<int32_t, Wanted>;

  Status Read(Missing missing, Millis patience);
  Status Take(const kafka::PollResult& polled, Missing* missing);
  Status Keep(int32_t partition, std::optional<int64_t> sent_ms, Missing* missing);

  const KafkaConfig config_;
  std::unique_ptr<kafka::Consumer> consumer_;  // Null until it is needed, and after an error.
  std::string topic_id_;
  std::map<int32_t, Found> found_;
};

}  // namespace shopstream::observe
