#pragma once

#include <string>

#include "base/status.h"
#include "cli/command.h"
#include "refine/refine_loop.h"

// The commands below `refine`, one file each.
namespace shopstream::cli {

Command RefineStatusCommand();
Command RefineAcceptCommand();
Command RefineTestCommand();
Command RefineSqlCommand();
Command RefineVerifyCommand();

// "2025-10-01..2025-10-07", or one date.
Result<refine::DatesToRestate> ParseDates(const std::string& text);

}  // namespace shopstream::cli
