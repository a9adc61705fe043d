#include "registry/server.h"

#include <utility>

#include "base/metrics.h"
#include "registry/handlers.h"

namespace shopstream::registry {
namespace {

HttpServerOptions HttpOptions(const RegistryConfig& config) {
  HttpServerOptions options;
  options.listen = config.listen;
  // Writes wait for Kafka, one thread each, so there must be enough threads for reads to get
  // through (HandlerOptions::most_waiting).
  options.threads = 400;
  // A schema of 1 MiB as a JSON string with every character escaped, and its metadata.
  options.max_body_bytes = 4 << 20;  // At most one per connection is in memory.
  options.max_connections = 1000;
  options.tls_certificate = config.tls_certificate;
  options.tls_key = config.tls_key;
  return options;
}

}  // namespace

Server::Server(const Config& config, KafkaStoreOptions options, Users users)
    : store_(KafkaStore::Start(config.kafka, std::move(options))),
      http_(HttpOptions(config.registry)) {
  AddRoutes(http_, *store_, {}, std::move(users));
  AddMetricsRoutes(&http_);
}

Result<std::unique_ptr<Server>> Server::Start(const Config& config, KafkaStoreOptions options) {
  const RegistryConfig& registry = config.registry;
  if (registry.tls_certificate.empty() != registry.tls_key.empty()) {
    return Status::Invalid(
        "registry.tls.certificate and registry.tls.key go together: set both, or none");
  }
  Users users;
  if (!registry.users.empty()) {
    ARROW_ASSIGN_OR_RAISE(users, Users::Read(registry.users, "registry.users"));
  }
  std::unique_ptr<Server> server(new Server(config, std::move(options), std::move(users)));
  ARROW_RETURN_NOT_OK(server->http_.Start());
  return server;
}

}  // namespace shopstream::registry
