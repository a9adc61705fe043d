#include "observe/health.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/table_printer.h"
#include "cli/command.h"
#include "cli/refine_health.h"

namespace shopstream::cli {
namespace {

struct HealthFlags {
  int64_t timeout_ms = 5000;
};

Cell ShowState(observe::HealthState state) {
  const std::string name(observe::Name(state));
  switch (state) {
    case observe::HealthState::kOk:
      return {name, Cell::State::kGood};
    case observe::HealthState::kDegraded:
      return {name, Cell::State::kWarning};
    case observe::HealthState::kDown:
      return {name, Cell::State::kBad};
  }
  return {name, Cell::State::kPlain};
}

Result<int> RunHealth(const Context& context, const HealthFlags& flags) {
  const Millis timeout{flags.timeout_ms};
  auto checks = observe::AllHealthChecks(context.config, timeout);
  checks.push_back(RefineHealthCheck(context.config));
  // Wait longer than the steps' own timeouts, whose messages say more than "no answer".
  const auto report = observe::RunHealthChecks(checks, 2 * timeout);
  TablePrinter table({"component", "state", "detail", "remedy"});
  for (const observe::ComponentHealth& component : report) {
    table.AddRow(
        {component.component, ShowState(component.state), component.detail, component.remedy});
  }
  table.Print(std::cout, context.json);
  const bool down = std::any_of(report.begin(), report.end(), [](const auto& component) {
    return component.state == observe::HealthState::kDown;
  });
  return down ? kFailed : kDone;
}

}  // namespace

Command HealthCommand() {
  auto flags = std::make_shared<HealthFlags>();
  return {.name = "health",
          .meaning = "Check each component and suggest remedies; exits with 1 if any is down",
          .options = {{.name = "--timeout-ms",
                       .target = &flags->timeout_ms,
                       .meaning = "Time limit for each component",
                       .show_default = true,
                       .bounds = Bounds{100, 60'000}}},
          .run = Running(flags, RunHealth)};
}

}  // namespace shopstream::cli
