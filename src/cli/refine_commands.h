#pragma once

#include "cli/command.h"

// The commands below `refine`, one file each.
namespace shopstream::cli {

Command RefineStatusCommand();
Command RefineAcceptCommand();
Command RefineTestCommand();
Command RefineSqlCommand();

}  // namespace shopstream::cli
