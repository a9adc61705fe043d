#pragma once

#include <optional>

#include "base/clock.h"
#include "base/config.h"
#include "base/http_client.h"
#include "base/status.h"
#include "observe/sample.h"

namespace shopstream::observe {

// Looks at the schema registry, of whichever vendor. One thread.
class RegistryLook {
 public:
  RegistryLook(const RegistryConfig& config, Millis timeout) : config_(config), timeout_(timeout) {}

  Result<RegistrySample> Look();

 private:
  Result<RegistrySample> Ask();

  const RegistryConfig config_;
  const Millis timeout_;
  std::optional<HttpClient> client_;  // Nothing until opened, and after an error.
};

}  // namespace shopstream::observe
