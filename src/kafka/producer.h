#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/client.h"

namespace shopstream::kafka {

struct ProducerStats {
  int64_t queued = 0;        // Handed to the client since the start.
  int64_t acknowledged = 0;  // Written by acks=all.
  int64_t failed = 0;        // Given up by the client: each one counted, the first error kept.
  std::string first_error;
};

enum class SendOutcome { kQueued, kQueueFull };

// The wire contract's producer: idempotent, acks=all, snappy, murmur2_random. Thread-safe.
class Producer {
 public:
  static Result<std::unique_ptr<Producer>> Open(const KafkaConfig& config,
                                                const Properties& overrides = {});
  ~Producer();
  // Copies key and value. kQueueFull: call Poll, then again.
  Result<SendOutcome> Send(const std::string& topic, std::string_view key,
                           std::span<const uint8_t> value);
  void Poll(Millis timeout);  // Serves delivery reports.
  // Until all is acknowledged or failed; IOError where the time-out passes first.
  Status Flush(Millis timeout);
  ProducerStats stats() const;

 private:
  struct Impl;
  explicit Producer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream::kafka
