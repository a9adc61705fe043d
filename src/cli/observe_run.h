#pragma once

#include <functional>

#include "cli/command.h"
#include "observe/sampler.h"

namespace shopstream::cli {

struct SampleOutput {
  bool json = false;  // Prints each sample on stdout.
  bool line = true;   // Shows the lag on stderr.
};

// Until shutdown: turns the sampler's samples into metrics, what /readyz reports, and warnings
// about missing parts.
Result<int> ShowSamples(const Context& context, observe::Sampler& sampler, SampleOutput output);

}  // namespace shopstream::cli
