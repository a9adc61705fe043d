#pragma once

#include <memory>
#include <string>

#include "base/config.h"
#include "base/http_server.h"
#include "base/status.h"
#include "base/users.h"
#include "registry/kafka_store.h"

namespace shopstream::registry {

// The Confluent-compatible registry: HTTP on top of `_schemas`. Answers 503 until that topic has
// been read to its end. Also serves the process's /metrics, /livez and /readyz; the latter two need
// no user.
class Server {
 public:
  // IOError: the port is taken. Waits for Kafka in the background.
  static Result<std::unique_ptr<Server>> Start(const Config& config,
                                               KafkaStoreOptions options = {});

  int port() const { return http_.port(); }
  // OK once it has read its log; otherwise why it answers 503.
  Status Ready() const { return store_->Ready(); }
  // OK while it can serve; otherwise why it permanently cannot.
  Status Failure() const { return store_->Failure(); }

 private:
  Server(const Config& config, KafkaStoreOptions options, Users users);

  std::unique_ptr<KafkaStore> store_;
  HttpServer http_;  // Declared after the store: its handlers use it, so it stops first.
};

}  // namespace shopstream::registry
