#include <memory>
#include <string>

#include "base/log.h"
#include "cli/command.h"
#include "cli/produce_flags.h"
#include "generate/recorded_source.h"
#include "generate/source_mapping.h"

namespace shopstream::cli {
namespace {

struct ReplayFlags {
  std::string source;
  generate::RecordedOptions recorded;
  produce::ProduceOptions produce;
};

Result<int> Replay(const Context& context, const ReplayFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto mapping, generate::LoadSourceMapping(flags.source));
  ARROW_ASSIGN_OR_RAISE(auto source,
                        generate::OpenRecordedSource(mapping, flags.recorded, WallClockMillis));
  Log::Info("replaying {}", mapping.file);
  return ProduceAndReport(context, source.get(), flags.produce);
}

}  // namespace

void AddReplay(CLI::App& app, Job* job) {
  CLI::App* command =
      app.add_subcommand("replay", "Produce real purchases from a Parquet or CSV file");
  auto flags = std::make_shared<ReplayFlags>();
  command
      ->add_option("source", flags->source,
                   "Mapping of the file's columns, e.g. config/sources/complete_journey.yaml")
      ->option_text("SOURCE.yaml")
      ->required();
  CLI::Option* rate =
      command->add_option("--rate", flags->produce.rate, "Events per second [as fast as possible]")
          ->option_text("R")
          ->check(CheckPositiveNumber);
  command
      ->add_option("--speed", flags->recorded.speed,
                   "Speed-up factor; 1000 replays a year in 9 hours")
      ->option_text("X")
      ->check(CheckPositiveNumber)
      ->excludes(rate);
  command->add_option("--limit", flags->produce.count, "Only the first N events")
      ->option_text("N")
      ->check(CheckPositiveCount);
  command->callback(
      [job, flags] { *job = [flags](const Context& context) { return Replay(context, *flags); }; });
}

}  // namespace shopstream::cli
