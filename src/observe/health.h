#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"

namespace shopstream::observe {

enum class HealthState {
  kOk,
  kDegraded,    // Works, but needs attention.
  kNotAllowed,  // A permission is missing to see it: neither up nor down.
  kDown,
};
const char* Name(HealthState state);  // "ok", "degraded", "not allowed to see", "down".

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

// Runs checks in parallel, time after time. A check that hangs keeps its thread until it returns or
// the process exits, and is not started again before. One thread.
class HealthRunner {
 public:
  explicit HealthRunner(std::vector<HealthCheck> checks);

  // One answer per check, in their order. Without an answer after `timeout`, it is down.
  std::vector<ComponentHealth> Run(Millis timeout);

  // After a Run, for a watch: starts each check `interval` after its previous answer, and returns a
  // report as soon as an answer is new, or a check has run for `timeout`: it is down until it
  // answers. Before that, a check that runs keeps its previous answer. Nothing: no news in `wait`.
  std::optional<std::vector<ComponentHealth>> Next(Millis interval, Millis timeout, Millis wait);

 private:
  struct Answers;
  // The lock is held.
  std::string Since(size_t check) const;
  ComponentHealth NoAnswer(size_t check, const std::string& silence) const;

  const std::vector<HealthCheck> checks_;
  const std::shared_ptr<Answers> answers_;  // Shared with the checks' threads, which may live on.
};

// A component whose state is not what it was.
struct HealthChange {
  HealthState before = HealthState::kOk;
  ComponentHealth now;
};

// Remembers since when each component has had its state.
class HealthHistory {
 public:
  // The changes since the previous report; none for the first.
  std::vector<HealthChange> Add(const std::vector<ComponentHealth>& report, int64_t now_ms);
  // When the component was first seen in its present state. It must have been reported.
  int64_t since_ms(const std::string& component) const;

 private:
  struct Entry {
    HealthState state;
    int64_t since_ms;
  };
  std::map<std::string, Entry> entries_;
};

// Whether the lake refused for want of a permission, which does not prove that anything is wrong. A
// refused key or login does.
bool IsDenied(const Status& status);

// The checks of this program: each broker, cluster, topic, registry, lake, ingest.
std::vector<HealthCheck> AllHealthChecks(const Config& config, Millis timeout);

}  // namespace shopstream::observe
