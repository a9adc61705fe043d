#pragma once

#include <cstdint>
#include <string>

#include "base/config.h"
#include "base/status.h"

namespace shopstream::backup {

// Everything that a Confluent-compatible registry holds, as JSON: each version of each subject with
// its id, also deleted ones, the compatibility levels and the modes. Errors: the registry's.
Result<std::string> ExportRegistry(const RegistryConfig& config);

struct RegistryRestore {
  int64_t versions = 0;  // Registered by this run.
  int64_t present = 0;   // Those that the registry had already, with the same id.
};
// Registers what an export has, with the same ids and version numbers, in the mode IMPORT; then
// sets levels and modes. What is deleted there and not in the export comes back. May be repeated.
// Invalid: the registry has another schema under one of the ids or versions; nothing that it had is
// changed.
Result<RegistryRestore> ImportRegistry(const RegistryConfig& config, const std::string& exported);

}  // namespace shopstream::backup
