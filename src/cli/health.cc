#include "observe/health.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/format.h"
#include "base/json.h"
#include "base/shutdown.h"
#include "base/table_printer.h"
#include "cli/command.h"
#include "console/refine_health.h"

namespace shopstream::cli {
namespace {

constexpr Millis kTick{100};  // Between two looks at whether to stop.

struct HealthFlags {
  int64_t timeout_ms = 5000;
  bool watch = false;
  int64_t interval_ms = 5000;
};

using Report = std::vector<observe::ComponentHealth>;

Cell ShowState(observe::HealthState state) {
  const std::string name(observe::Name(state));
  switch (state) {
    case observe::HealthState::kOk:
      return {name, Cell::State::kGood};
    case observe::HealthState::kDegraded:
      return {name, Cell::State::kWarning};
    case observe::HealthState::kNotAllowed:
      return {name, Cell::State::kUnknown};
    case observe::HealthState::kDown:
      return {name, Cell::State::kBad};
  }
  return {name, Cell::State::kPlain};
}

observe::HealthRunner ChecksOf(const Context& context, Millis timeout) {
  auto checks = observe::AllHealthChecks(context.config, timeout);
  checks.push_back(console::RefineHealthCheck(context.config));
  return observe::HealthRunner(std::move(checks));
}

// Longer than the steps' own timeouts, whose messages say more than "no answer".
Millis Patience(Millis timeout) { return 2 * timeout; }

bool AnyDown(const Report& report) {
  return std::ranges::any_of(report, [](const observe::ComponentHealth& component) {
    return component.state == observe::HealthState::kDown;
  });
}

void PrintTable(const Report& report, bool as_json) {
  TablePrinter table({"component", "state", "detail", "remedy"});
  for (const observe::ComponentHealth& component : report) {
    table.AddRow(
        {component.component, ShowState(component.state), component.detail, component.remedy});
  }
  table.Print(std::cout, as_json);
}

// ---- --watch

// On a terminal, in place of the previous report.
void Redraw(const Report& report, const observe::HealthHistory& history, int64_t now_ms) {
  std::cout << "\x1b[H\x1b[2J" << FormatTimestamp(now_ms) << "; press Ctrl-C to stop\n\n";
  TablePrinter table({"component", "state", "for", "detail", "remedy"});
  for (const observe::ComponentHealth& component : report) {
    const int64_t millis = now_ms - history.since_ms(component.component);
    // In whole seconds: the rest changes without meaning.
    table.AddRow({component.component, ShowState(component.state),
                  FormatMillis(millis / 1000 * 1000), component.detail, component.remedy});
  }
  table.Print(std::cout, false);
}

void PrintJsonLine(const Report& report, const observe::HealthHistory& history, int64_t now_ms) {
  nlohmann::ordered_json components = nlohmann::ordered_json::array();
  for (const observe::ComponentHealth& component : report) {
    components.push_back({{"component", component.component},
                          {"state", observe::Name(component.state)},
                          {"since", FormatTimestamp(history.since_ms(component.component))},
                          {"detail", component.detail},
                          {"remedy", component.remedy}});
  }
  std::cout << DumpJson(nlohmann::ordered_json{{"at", FormatTimestamp(now_ms)},
                                               {"components", std::move(components)}})
            << '\n';
}

void PrintChanges(const std::vector<observe::HealthChange>& changes, int64_t now_ms) {
  for (const observe::HealthChange& change : changes) {
    std::cout << FormatTimestamp(now_ms) << ' ' << change.now.component << ": "
              << observe::Name(change.before) << " -> " << observe::Name(change.now.state) << ": "
              << Printable(change.now.detail);
    if (!change.now.remedy.empty()) std::cout << "; " << Printable(change.now.remedy);
    std::cout << '\n';
  }
}

// A terminal is redrawn. In a file or a pipe, the first report is followed by the changes; with
// --json, each report is a line.
void Show(const Context& context, const Report& report, observe::HealthHistory* history,
          bool first) {
  const int64_t now_ms = WallClockMillis();
  const auto changes = history->Add(report, now_ms);
  if (context.json) {
    PrintJsonLine(report, *history, now_ms);
  } else if (isatty(STDOUT_FILENO) == 1) {
    Redraw(report, *history, now_ms);
  } else if (first) {
    PrintTable(report, false);
  } else {
    PrintChanges(changes, now_ms);
  }
  std::cout.flush();
}

Result<int> WatchHealth(const Context& context, const HealthFlags& flags) {
  const Millis timeout{flags.timeout_ms}, interval{flags.interval_ms};
  observe::HealthRunner runner = ChecksOf(context, timeout);
  observe::HealthHistory history;
  Show(context, runner.Run(Patience(timeout)), &history, /*first=*/true);
  while (std::cout && !ShutdownRequested()) {
    const auto report = runner.Next(interval, Patience(timeout), kTick);
    if (report) Show(context, *report, &history, /*first=*/false);
  }
  // The reader of our output has exited; nothing is left to do, and it is not an error.
  if (!std::cout) std::cout.clear();
  return kDone;
}

Result<int> RunHealth(const Context& context, const HealthFlags& flags) {
  if (flags.watch) return WatchHealth(context, flags);
  const Millis timeout{flags.timeout_ms};
  observe::HealthRunner runner = ChecksOf(context, timeout);
  const Report report = runner.Run(Patience(timeout));
  PrintTable(report, context.json);
  return AnyDown(report) ? kFailed : kDone;
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
                       .bounds = Bounds{100, 60'000}},
                      {.name = "--watch",
                       .target = &flags->watch,
                       .meaning = "Check again and again, until it is stopped"},
                      {.name = "--interval-ms",
                       .target = &flags->interval_ms,
                       .meaning = "With --watch: the pause between two checks of a component",
                       .show_default = true,
                       .bounds = Bounds{100, 3'600'000}}},
          .run = Running(flags, RunHealth)};
}

}  // namespace shopstream::cli
