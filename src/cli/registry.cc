#include "base/log.h"
#include "base/probes.h"
#include "base/shutdown.h"
#include "cli/command.h"
#include "registry/server.h"

namespace shopstream::cli {
namespace {

constexpr Millis kLookPause{100};

Result<int> Serve(const Context& context) {
  ARROW_ASSIGN_OR_RAISE(auto server, registry::Server::Start(context.config));
  const std::string& listen = context.config.registry.listen;
  Log::Info("registry: listening on {}://{}:{}, schemas in topic _schemas at {}",
            context.config.registry.tls_certificate.empty() ? "http" : "https",
            listen.substr(0, listen.rfind(':')), server->port(),
            context.config.kafka.bootstrap_servers);
  while (!SleepUnlessShutdown(kLookPause)) {
    ARROW_RETURN_NOT_OK(server->Failure());
    const Status ready = server->Ready();
    Probes::OfProcess().SetUnready(ready.ok() ? "" : ready.message());
    Probes::OfProcess().Beat();
  }
  Log::Info("registry: stopping");
  return kDone;
}

}  // namespace

Command RegistryCommand() {
  return {.name = "registry",
          .meaning = "Serve the Confluent-compatible schema registry on registry.listen",
          .run = Serve,
          .service = true};
}

}  // namespace shopstream::cli
