#pragma once

#include "base/status.h"
#include "cli/command.h"
#include "cli/query_run.h"

namespace shopstream::cli {

// Reads statements from the terminal and runs each, until .quit or the end of input. Every
// statement reads the lake as it is then.
Result<int> RunPrompt(const Context& context, const QueryFlags& flags);

}  // namespace shopstream::cli
