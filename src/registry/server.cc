#include "registry/server.h"

#include <utility>

#include "registry/handlers.h"

namespace shopstream::registry {
namespace {

HttpServerOptions HttpOptions(const std::string& listen) {
  HttpServerOptions options;
  options.listen = listen;
  // Writes wait for each other and for Kafka, and a connection holds its thread while it is open:
  // enough of them that reads still get through.
  options.threads = 32;
  // Kafka's default bound of a record, which a schema must fit into, is 1 MiB.
  options.max_body_bytes = 900 << 10;
  return options;
}

}  // namespace

Server::Server(const Config& config, KafkaStoreOptions options)
    : store_(KafkaStore::Start(config.kafka, std::move(options))),
      http_(HttpOptions(config.registry.listen)) {
  AddRoutes(http_, *store_);
}

Result<std::unique_ptr<Server>> Server::Start(const Config& config, KafkaStoreOptions options) {
  std::unique_ptr<Server> server(new Server(config, std::move(options)));
  ARROW_RETURN_NOT_OK(server->http_.Start());
  return server;
}

}  // namespace shopstream::registry
