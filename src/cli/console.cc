#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/log.h"
#include "cli/command.h"
#include "cli/observe_run.h"
#include "console/server.h"
#include "observe/sampler.h"

namespace shopstream::cli {
namespace {

// To develop the page: the folder of its files, which are then read for each request.
constexpr char kWebFolder[] = "SHOPSTREAM_WEB_FOLDER";
constexpr int64_t kMostIntervalMs = 2000;  // What fails is red within 5 s.

Result<int> RunConsole(const Context& context) {
  Config config = context.config;
  config.observe.topics = config.observe.groups = "all";  // For its lists.
  config.observe.interval_ms = std::min(config.observe.interval_ms, kMostIntervalMs);
  ARROW_ASSIGN_OR_RAISE(const auto sampler, observe::Sampler::Start(config));
  const char* folder = std::getenv(kWebFolder);
  ARROW_ASSIGN_OR_RAISE(const auto server,
                        console::Server::Start(context.config, *sampler,
                                               {.web_folder = folder == nullptr ? "" : folder}));
  const ConsoleConfig& settings = config.console;
  Log::Info("console: open {}://{}:{}/ in a browser",
            settings.tls_certificate.empty() ? "http" : "https",
            settings.listen.substr(0, settings.listen.rfind(':')), server->port());
  return ShowSamples(context, *sampler, {.json = false, .line = false});
}

}  // namespace

Command ConsoleCommand() {
  return {.name = "console",
          .meaning = "Serve the web console on console.listen, and what `observe` serves",
          .run = RunConsole,
          .serves_metrics = true,
          .service = true};
}

}  // namespace shopstream::cli
