#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace shopstream::cli {

struct Program {
  const char* name;
  const char* meaning;
  const char* version;
  std::vector<Option> options;  // Allowed before and after the command.
  std::vector<Command> commands;
  std::string footer;  // Below the program's own help.
};

// What the arguments request: a job, or an exit code with the message that explains it.
struct Choice {
  Job job;  // Null: nothing to do.
  bool serves_metrics = false;
  bool service = false;
  int exit_code = kDone;
  std::string error;
};

// Fills the targets of the options. Prints the output of --help and --version.
Choice ParseCommandLine(const Program& program, int argc, char** argv);

}  // namespace shopstream::cli
