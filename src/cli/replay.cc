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

Command ReplayCommand() {
  auto flags = std::make_shared<ReplayFlags>();
  return {.name = "replay",
          .meaning = "Produce real purchases from a Parquet or CSV file",
          .options = {{.name = "source",
                       .target = &flags->source,
                       .meaning = "Mapping of the file's columns, e.g. "
                                  "config/sources/complete_journey.yaml",
                       .value = "SOURCE.yaml",
                       .required = true},
                      RateOption(&flags->produce),
                      {.name = "--speed",
                       .target = &flags->recorded.speed,
                       .meaning = "Speed-up factor; 1000 replays a year in 9 hours",
                       .value = "X",
                       .check = CheckPositiveNumber,
                       .excludes = "--rate"},
                      {.name = "--limit",
                       .target = &flags->produce.count,
                       .meaning = "Only the first N events",
                       .value = "N",
                       .check = CheckPositiveCount}},
          .run = Running(flags, Replay)};
}

}  // namespace shopstream::cli
