#pragma once

#include "cli/command.h"

// The commands below `group`, one file each.
namespace shopstream::cli {

Command GroupResetCommand();

}  // namespace shopstream::cli
