#include <algorithm>
#include <iostream>
#include <limits>
#include <memory>
#include <string>

#include "base/json.h"
#include "base/log.h"
#include "base/shutdown.h"
#include "cli/command.h"
#include "cli/produce_flags.h"
#include "generate/recorded_source.h"
#include "generate/source_mapping.h"
#include "records/record_json.h"

namespace shopstream::cli {
namespace {

struct ReplayFlags {
  std::string source;
  std::string folder;
  bool print = false;
  generate::RecordedOptions recorded;
  produce::ProduceOptions produce;
};

// Shows the events instead of producing them; needs no Kafka.
Result<int> Print(generate::EventSource* source, int64_t count) {
  constexpr int64_t kRows = 1000;
  const int64_t limit = count > 0 ? count : std::numeric_limits<int64_t>::max();
  for (int64_t printed = 0; printed < limit && std::cout && !ShutdownRequested();) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, source->Next(std::min(kRows, limit - printed)));
    if (batch.rows == nullptr) break;
    for (int64_t row = 0; row < batch.rows->num_rows(); ++row) {
      std::cout << DumpJson(records::RowToJson(*batch.rows, row)) << '\n';
    }
    printed += batch.rows->num_rows();
  }
  std::cout.flush();
  std::cout.clear();  // The reader of our output may have exited, which is not an error.
  const auto skipped = source->skipped();
  const std::string described = skipped ? DescribeSkipped(*skipped) : "";
  if (!described.empty()) Log::Info("{}", described);
  return kDone;
}

Result<int> Replay(const Context& context, const ReplayFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto mapping,
                        generate::LoadSourceMapping(flags.source, flags.folder));
  generate::RecordedOptions options = flags.recorded;
  if (flags.print) options.speed = 0;
  ARROW_ASSIGN_OR_RAISE(auto source,
                        generate::OpenRecordedSource(mapping, options, WallClockMillis));
  if (flags.print) return Print(source.get(), flags.produce.count);
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
                      {.name = "--folder",
                       .target = &flags->folder,
                       .meaning = "Folder of the mapping's files, if not the one in the mapping",
                       .value = "FOLDER"},
                      {.name = "--print",
                       .target = &flags->print,
                       .meaning = "Print the events as JSON instead of producing them"},
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
          .run = Running(flags, Replay),
          .serves_metrics = true,
          .quiet = &flags->print};
}

}  // namespace shopstream::cli
