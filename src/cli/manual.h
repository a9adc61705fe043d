#pragma once

#include <string>

#include "cli/command_line.h"

namespace shopstream::cli {

// The manual page, in the format of man(7), made of the program's tables.
std::string ManPage(const Program& program);

// `man` prints it. Borrows the program.
Command ManCommand(const Program* program);

}  // namespace shopstream::cli
