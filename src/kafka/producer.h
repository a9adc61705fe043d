#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/client.h"

namespace shopstream::kafka {

// At any moment queued = acknowledged + failed + what is still under way.
struct ProducerStats {
  int64_t queued = 0;        // Handed to the client since the start.
  int64_t acknowledged = 0;  // Written, by acks=all.
  int64_t failed = 0;        // Given up by the client or refused by it: each one counted.
  std::string first_error;   // Why the first of them failed; empty where none did.
};

struct Message {
  std::string_view key;
  std::span<const uint8_t> value;  // May be empty; that is a record of no bytes, not a tombstone.
};

enum class SendOutcome { kQueued, kQueueFull };

// The wire contract's producer: idempotent, acks=all, snappy, murmur2_random. A message that is not
// acknowledged within the client's message.timeout.ms (two minutes) has failed. Thread-safe.
class Producer {
 public:
  // `overrides` are librdkafka's properties, and stand above the contract's.
  static Result<std::unique_ptr<Producer>> Open(const KafkaConfig& config,
                                                const Properties& overrides = {});
  ~Producer();

  // Copies key and value. kQueueFull: call Poll, then again. IOError where the client can send no
  // more at all.
  Result<SendOutcome> Send(const std::string& topic, std::string_view key,
                           std::span<const uint8_t> value);
  // The same for many messages at the cost of few. Returns how many, from the first on, are dealt
  // with; fewer than all where the queue is full. One that the client refuses by itself (larger
  // than it may be) counts as dealt with and as failed.
  Result<int64_t> SendBatch(const std::string& topic, std::span<const Message> messages);
  // Serves delivery reports: waits for the first of them until the time-out.
  void Poll(Millis timeout);
  // Until all is acknowledged or failed. Where the time-out passes first, what is left is given up
  // and the result is IOError.
  Status Flush(Millis timeout);
  // Gives up all that is neither acknowledged nor failed: it counts as failed, though what is on
  // its way to a broker may still be written. Returns how many.
  int64_t GiveUp();
  ProducerStats stats() const;

 private:
  struct Impl;
  explicit Producer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream::kafka
