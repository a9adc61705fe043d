#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "cli/command.h"
#include "generate/event_source.h"
#include "produce/produce.h"

// What `generate` and `replay` have in common.
namespace shopstream::cli {

// "500ms", "60s", "5m", "2h". Invalid says how it is written.
Result<Millis> ParseDuration(const std::string& text);

// Checks of flags' values: what is wrong, or "" where nothing is.
std::string CheckPositiveNumber(const std::string& text);
std::string CheckPositiveCount(const std::string& text);
std::string CheckSeed(const std::string& text);

// Produces, prints the summary on stdout and returns the exit code: kFailed where a delivery
// failed.
Result<int> ProduceAndReport(const Context& context, generate::EventSource* source,
                             const produce::ProduceOptions& options);

}  // namespace shopstream::cli
