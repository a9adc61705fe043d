#pragma once

#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace shopstream::cli {

// Subcommands of `table` that have a file of their own, src/cli/table_<name>.cc.
void AddTableOptimize(CLI::App* table, Job* job);
void AddTableRepair(CLI::App* table, Job* job);
void AddTableVacuum(CLI::App* table, Job* job);
void AddTableVerify(CLI::App* table, Job* job);

}  // namespace shopstream::cli
