#pragma once

#include "cli/command_line.h"

namespace shopstream::cli {

// `man` prints the manual page, in the format of man(7), made of the program's tables. Borrows the
// program.
Command ManCommand(const Program* program);

}  // namespace shopstream::cli
