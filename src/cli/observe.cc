#include "cli/command.h"
#include "cli/observe_run.h"
#include "observe/sampler.h"

namespace shopstream::cli {
namespace {

Result<int> RunObserve(const Context& context) {
  ARROW_ASSIGN_OR_RAISE(const auto sampler, observe::Sampler::Start(context.config));
  return ShowSamples(context, *sampler, {.json = context.json});
}

}  // namespace

Command ObserveCommand() {
  return {.name = "observe",
          .meaning =
              "Sample Kafka, the registry and the lake until stopped, for Prometheus; --json also "
              "prints each sample",
          .run = RunObserve,
          .serves_metrics = true,
          .service = true};
}

}  // namespace shopstream::cli
