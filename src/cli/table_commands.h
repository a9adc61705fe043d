#pragma once

#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace shopstream::cli {

// Subcommands of `table` with their own files, src/cli/table_<name>.cc.
void AddTableOptimize(CLI::App* table, Job* job);
void AddTableRepair(CLI::App* table, Job* job);
void AddTableVacuum(CLI::App* table, Job* job);
void AddTableVerify(CLI::App* table, Job* job);

}  // namespace shopstream::cli
