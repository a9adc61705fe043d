#pragma once

#include <string>

#include "cli/command_line.h"

namespace shopstream::cli {

// Scripts that complete the program's commands and flags, made of its tables.
std::string BashCompletion(const Program& program);
std::string ZshCompletion(const Program& program);
std::string FishCompletion(const Program& program);

// `completion SHELL` prints one. Borrows the program.
Command CompletionCommand(const Program* program);

}  // namespace shopstream::cli
