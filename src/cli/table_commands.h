#pragma once

#include <cstddef>
#include <string>

#include "cli/command.h"

namespace shopstream::cli {

// Commands of `table` with their own files, src/cli/table_<name>.cc.
Command TableArchiveCommand();
Command TableDescribeCommand();
Command TableEraseCommand();
Command TableOptimizeCommand();
Command TableRepairCommand();
Command TableRetainCommand();
Command TableVacuumCommand();
Command TableVerifyCommand();

// Limit of the human-readable lists of files; all are counted, and --json lists all.
inline constexpr size_t kListedFiles = 50;

// The table to work on.
inline Option TableNameOption(std::string* name) {
  return {.name = "NAME", .target = name, .meaning = "e.g. bronze-events", .required = true};
}

}  // namespace shopstream::cli
