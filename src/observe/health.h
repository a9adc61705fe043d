#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"

namespace shopstream::observe {

enum class HealthState {
  kOk,
  kDegraded,  // Works, but something will have to be done.
  kDown,
};
const char* Name(HealthState state);  // "ok", "degraded", "down".

struct ComponentHealth {
  // "broker 127.0.0.1:9094", "cluster", "topic NAME", "registry", "lake" or "ingest".
  std::string component;
  HealthState state = HealthState::kDown;
  std::string detail;
  std::string remedy;  // What to do; empty where all is well.
};

// One independent look at a part of the system. It runs on a thread of its own and owns all it
// uses, for one that hangs is left behind.
struct HealthCheck {
  std::string name;  // The component's, where it does not answer in time.
  std::function<ComponentHealth()> run;
};

// Runs all checks at once; what has not answered after `timeout` is down. In the checks' order.
// A check that hangs keeps its thread until the process ends.
std::vector<ComponentHealth> RunHealthChecks(const std::vector<HealthCheck>& checks,
                                             Millis timeout);

// The checks of this program: each broker, cluster, topic, registry, lake, ingest.
std::vector<HealthCheck> AllHealthChecks(const Config& config, Millis timeout);

}  // namespace shopstream::observe
