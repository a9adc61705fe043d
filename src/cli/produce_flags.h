#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "cli/command.h"
#include "generate/event_source.h"
#include "produce/produce.h"

// Shared by `generate` and `replay`.
namespace shopstream::cli {

// "500ms", "60s", "5m", "2h". Invalid gives the expected form.
Result<Millis> ParseDuration(const std::string& text);

// Checks of flag values: returns the error, or "" if there is none.
std::string CheckPositiveNumber(const std::string& text);
std::string CheckPositiveCount(const std::string& text);
std::string CheckSeed(const std::string& text);

Option RateOption(produce::ProduceOptions* options);

// "skipped 12 rows (filtered 10, without user_id 2)", or "" if none was.
std::string DescribeSkipped(const generate::SkippedRows& skipped);

// Produces, prints the summary on stdout and returns the exit code: kFailed if a delivery
// failed.
Result<int> ProduceAndReport(const Context& context, generate::EventSource* source,
                             const produce::ProduceOptions& options);

}  // namespace shopstream::cli
