#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/client.h"
#include "kafka/handles.h"

// For src/kafka/*.cc only.
namespace shopstream::kafka {

// A call: what it does, for messages, and the permission that it needs.
struct Deed {
  std::string what, needs;
};

inline constexpr int32_t kClientsChoice = -1;  // The client picks the broker to ask.

// Sends requests of librdkafka's admin interface and waits for their results. Thread-safe.
class AdminCalls {
 public:
  using Request = std::function<void(const rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>;

  static Result<AdminCalls> Open(const KafkaConfig& config, Millis timeout);

  // Sends a request on its own queue and waits for the event with its result. `expected`: an error
  // that is returned as an event.
  Result<EventHandle> Call(rd_kafka_admin_op_t op, int32_t broker, const Deed& what,
                           const Request& request,
                           rd_kafka_resp_err_t expected = RD_KAFKA_RESP_ERR_NO_ERROR);
  Status Failure(const Deed& deed, int code, const char* reason = nullptr) const;

  rd_kafka_t* client() const { return client_.get(); }
  const KafkaConfig& config() const { return config_; }
  Millis timeout() const { return timeout_; }

 private:
  AdminCalls(const KafkaConfig& config, Millis timeout, ClientHandle client);

  KafkaConfig config_;
  Millis timeout_;
  ClientHandle client_;
};

}  // namespace shopstream::kafka
