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
  kDegraded,  // Works, but needs attention.
  kDown,
};
const char* Name(HealthState state);  // "ok", "degraded", "down".

struct ComponentHealth {
  // "broker 127.0.0.1:9094", "cluster", "topic NAME", "registry", "lake" or "ingest".
  std::string component;
  HealthState state = HealthState::kDown;
  std::string detail;
  std::string remedy;  // What to do; empty if the component is healthy.
};

// One independent check of a part of the system. It runs on its own thread and owns everything it
// uses, because a check that hangs is left running.
struct HealthCheck {
  std::string name;  // The component's, used if it does not answer in time.
  std::function<ComponentHealth()> run;
};

// Runs all checks in parallel; a check without an answer after `timeout` is down. In the checks'
// order. A check that hangs keeps its thread until the process exits.
std::vector<ComponentHealth> RunHealthChecks(const std::vector<HealthCheck>& checks,
                                             Millis timeout);

// The checks of this program: each broker, cluster, topic, registry, lake, ingest.
std::vector<HealthCheck> AllHealthChecks(const Config& config, Millis timeout);

}  // namespace shopstream::observe
