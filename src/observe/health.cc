#include "observe/health.h"

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/format.h"

namespace shopstream::observe {
namespace {

// Shared by the waiting thread and the checks' threads, whichever live longer.
struct Answers {
  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<std::optional<ComponentHealth>> of_check;
  size_t missing = 0;
};

void RunOne(const HealthCheck& check, size_t index, Answers* answers) {
  ComponentHealth health;
  try {
    health = check.run();
  } catch (const std::exception& e) {  // One failing check must not stop the report on the others.
    health = {check.name, HealthState::kDown, e.what(), "report this as a defect"};
  }
  const std::lock_guard lock(answers->mutex);
  answers->of_check[index] = std::move(health);
  --answers->missing;
  answers->arrived.notify_all();
}

}  // namespace

const char* Name(HealthState state) {
  switch (state) {
    case HealthState::kOk:
      return "ok";
    case HealthState::kDegraded:
      return "degraded";
    case HealthState::kDown:
      return "down";
  }
  return "unknown";
}

std::vector<ComponentHealth> RunHealthChecks(const std::vector<HealthCheck>& checks,
                                             Millis timeout) {
  const auto answers = std::make_shared<Answers>();
  answers->of_check.resize(checks.size());
  answers->missing = checks.size();
  for (size_t i = 0; i < checks.size(); ++i) {
    std::thread([answers, check = checks[i], i] { RunOne(check, i, answers.get()); }).detach();
  }
  std::unique_lock lock(answers->mutex);
  answers->arrived.wait_for(lock, timeout, [&] { return answers->missing == 0; });
  std::vector<ComponentHealth> report;
  for (size_t i = 0; i < checks.size(); ++i) {
    if (answers->of_check[i]) {
      report.push_back(*answers->of_check[i]);
    } else {
      report.push_back({checks[i].name, HealthState::kDown,
                        "no answer within " + FormatMillis(timeout.count()),
                        "check whether it hangs or the network drops packets"});
    }
  }
  return report;
}

}  // namespace shopstream::observe
