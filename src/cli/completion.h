#pragma once

#include "cli/command_line.h"

namespace shopstream::cli {

// `completion SHELL` prints a script that completes the program's commands and flags, made of its
// tables. Borrows the program.
Command CompletionCommand(const Program* program);

}  // namespace shopstream::cli
