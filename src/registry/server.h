#pragma once

#include <memory>
#include <string>

#include "base/config.h"
#include "base/http_server.h"
#include "base/status.h"
#include "registry/kafka_store.h"
#include "registry/users.h"

namespace shopstream::registry {

// The Confluent-compatible registry: HTTP in front of `_schemas`. Serves 503 until that topic has
// been read to its end.
class Server {
 public:
  // A taken port is IOError. Kafka is waited for behind.
  static Result<std::unique_ptr<Server>> Start(const Config& config,
                                               KafkaStoreOptions options = {});

  int port() const { return http_.port(); }
  // OK while it can serve; else why it cannot any more, for good.
  Status Failure() const { return store_->Failure(); }

 private:
  Server(const Config& config, KafkaStoreOptions options, Users users);

  std::unique_ptr<KafkaStore> store_;
  HttpServer http_;  // After the store: its handlers use it, so it stops first.
};

}  // namespace shopstream::registry
