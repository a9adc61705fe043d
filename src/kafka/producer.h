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

// At any moment queued = acknowledged + failed + in progress.
struct ProducerStats {
  int64_t queued = 0;        // Handed to the client since the start.
  int64_t acknowledged = 0;  // Written, by acks=all.
  int64_t failed = 0;        // Abandoned by the client or refused by it.
  std::string first_error;   // Reason of the first failure; empty if there was none.
};

struct Message {
  std::string_view key;
  std::span<const uint8_t> value;  // May be empty: a zero-length record, not a tombstone.
};

enum class SendOutcome { kQueued, kQueueFull };

// The producer of the wire contract: idempotent, acks=all, snappy, murmur2_random. A message that
// is not acknowledged within the client's message.timeout.ms (two minutes) has failed. Thread-safe.
class Producer {
 public:
  // `overrides` are librdkafka properties that take precedence over the contract's.
  static Result<std::unique_ptr<Producer>> Open(const KafkaConfig& config,
                                                const Properties& overrides = {});
  ~Producer();

  // Copies key and value. kQueueFull: call Poll, then try again. IOError: the client cannot send
  // any more messages.
  Result<SendOutcome> Send(const std::string& topic, std::string_view key,
                           std::span<const uint8_t> value);
  // The same for many messages at a lower cost. Returns how many messages, from the first, were
  // processed; fewer than all if the queue is full. A message that the client refuses (larger than
  // allowed) counts as processed and as failed.
  Result<int64_t> SendBatch(const std::string& topic, std::span<const Message> messages);
  // Processes delivery reports; waits for the first of them until the timeout.
  void Poll(Millis timeout);
  // Waits until every message is acknowledged or failed. If the timeout passes first, the rest is
  // abandoned and the result is IOError.
  Status Flush(Millis timeout);
  // Abandons all messages that are neither acknowledged nor failed: they count as failed, although
  // those on their way to a broker may still be written. Returns how many.
  int64_t GiveUp();
  ProducerStats stats() const;

 private:
  struct Impl;
  explicit Producer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shopstream::kafka
