#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace shopstream::console {

struct ChildLimits {
  Millis time{10'000};
  size_t output_bytes = 4 << 20;  // Of standard output and standard error together.
  Millis grace{3'000};            // From SIGINT to SIGKILL.
};

struct ChildOutput {
  int exit_code = 0;  // 128 + N if signal N ended it.
  std::string out, err;
};

// Runs the program words[0], a path, with the other words as its arguments; no shell reads them.
// Its standard input is empty, and it inherits the environment, but no other open file.
//
// If it takes longer than the limit, writes more, or `stop` (called every 50 ms) returns true, it
// gets SIGINT, and SIGKILL after the grace. Both go to all of its process group.
//
// Invalid: the program cannot be started. Unavailable: it took too long, or was stopped. Corrupt:
// it wrote too much.
Result<ChildOutput> RunChild(const std::vector<std::string>& words, const ChildLimits& limits,
                             const std::function<bool()>& stop);

}  // namespace shopstream::console
