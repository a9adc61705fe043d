#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/error_kind.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/probes.h"
#include "base/progress_line.h"
#include "base/shutdown.h"
#include "cli/command.h"
#include "cli/refine_commands.h"
#include "ingest/quarantine_erase.h"
#include "model/calendar.h"
#include "refine/refine_loop.h"
#include "refine/refine_stats.h"

namespace shopstream::cli {
namespace {

struct RefineFlags {
  bool watch = false;
  bool rebuild = false;
  std::optional<refine::DatesToRestate> restate;
};

std::string StateOf(const refine::RefineStats& stats) {
  if (!stats.halted().empty()) return "halted by rule " + stats.halted();
  if (!stats.erasing().empty()) return "erasing: " + stats.erasing();
  if (stats.standby()) return "standing by: another refine is at work";
  return stats.lag() ? Counted(*stats.lag(), "row") + " behind Bronze" : "looking at the tables";
}

// For /readyz; empty: it refines, or stands by for another refine.
std::string WhyNotReady(const refine::RefineStats& stats) {
  if (!stats.halted().empty()) return "halted by rule " + stats.halted();
  if (!stats.retried_why().empty()) return stats.retried_why();
  return stats.lag() ? "" : "looking at the tables";
}

class RefineProgress {
 public:
  explicit RefineProgress(const refine::RefineStats* stats) : stats_(stats) {}

  void Tick() {
    const BootClock::time_point now = BootClock::now();
    if (!line_.IsDue(now)) return;
    line_.Show((stats_->last() ? Describe(*stats_->last()) + " · " : "") + StateOf(*stats_), now);
  }
  void End() { line_.End(); }

 private:
  const refine::RefineStats* stats_;
  ProgressLine line_{{.in_place = Millis{500}, .logged = Millis{10'000}}, BootClock::now()};
};

std::string Reasons(const refine::RefineStats& stats) {
  std::string text;
  for (const auto& [reason, count] : stats.rejected()) {
    text += (text.empty() ? " (" : ", ") + reason + " " + FormatCount(count);
  }
  return text.empty() ? "" : text + ")";
}

void PrintSummary(const refine::RefineStats& stats, bool restated, bool as_json) {
  if (as_json) {
    std::cout << DumpJson(refine::ToJson(stats)) << "\n";
    return;
  }
  if (restated && stats.passes() == 0) {
    std::cout << "Nothing was restated here: no table has rows of these dates that it keeps, or "
                 "another refine has done it; see `shopstream refine status`.\n";
    return;
  }
  std::cout << fmt::format("{} {} in {}, {:.1f} s ({}/s)\n{} to Silver, {} rejected{}\n",
                           Counted(stats.rows(), "row"), restated ? "restated" : "refined",
                           stats.passes() == 1 ? "1 pass" : FormatCount(stats.passes()) + " passes",
                           stats.seconds(), FormatCount(stats.rows_per_second()),
                           FormatCount(stats.silver()), FormatCount(stats.rows() - stats.silver()),
                           Reasons(stats));
  if (stats.without_coordinates() > 0) {
    std::cout << fmt::format(
        "{} of Bronze have no Kafka coordinates, because another program appended them; refine "
        "leaves them out\n",
        Counted(stats.without_coordinates(), "row"));
  }
}

void ExplainHalt(const tables::RefineHalt& halt) {
  Log::Tell(
      LogLevel::kError,
      fmt::format(
          "rule {} rejects {} of {} ({:.1f} %): nothing of pass {} was committed. "
          "`shopstream refine status` shows more. To continue with these rows among the rejects: "
          "`shopstream refine accept {}`",
          halt.rule, FormatCount(halt.found), Counted(halt.rows, "row"),
          100.0 * static_cast<double>(halt.found) / static_cast<double>(halt.rows), halt.pass,
          halt.rule));
}

Result<int> RunRefineCommand(const Context& context, const RefineFlags& flags) {
  refine::RefineStats stats;
  RefineProgress progress(&stats);
  refine::RefineMode mode{.watch = flags.watch, .restate = flags.restate};
  if (flags.rebuild) mode.restate = refine::DatesToRestate{};
  mode.erase_quarantine = ingest::ConfiguredQuarantineErase(context.config);
  const auto tick = [&] {
    Probes::OfProcess().Beat();
    Probes::OfProcess().SetUnready(WhyNotReady(stats));
    progress.Tick();
  };
  const Result<refine::RefineEnd> end =
      refine::RunRefine(context.config, mode, &stats, ShutdownRequested, tick);
  progress.End();
  if (end.ok() || stats.passes() > 0) {
    PrintSummary(stats, mode.restate.has_value(), context.json);
  }
  if (!end.ok() && ShutdownRequested() && IsUnavailable(end.status())) {
    Log::Tell(LogLevel::kError, "interrupted: " + end.status().message());
    return kInterrupted;
  }
  ARROW_RETURN_NOT_OK(end.status());
  if (end->halt) {
    ExplainHalt(*end->halt);
    return kDifferenceFound;
  }
  if (!end->interrupted) return kDone;
  Log::Tell(LogLevel::kError, fmt::format("interrupted before everything was {}",
                                          mode.restate ? "restated" : "refined"));
  return kInterrupted;
}

}  // namespace

Result<refine::DatesToRestate> ParseDates(const std::string& text) {
  const size_t dots = text.find("..");
  refine::DatesToRestate dates;
  dates.from = ParseDate(std::string_view(text).substr(0, dots));
  dates.to =
      dots == std::string::npos ? dates.from : ParseDate(std::string_view(text).substr(dots + 2));
  if (!dates.from || !dates.to) {
    return Status::Invalid("not two dates such as 2025-10-01..2025-10-07: ", text);
  }
  if (*dates.from > *dates.to)
    return Status::Invalid("the second date is before the first: ", text);
  return dates;
}

Command RefineCommand() {
  auto flags = std::make_shared<RefineFlags>();
  return {
      .name = "refine",
      .meaning =
          "Refine Bronze to Silver, rejects and Gold, exactly once; exits with 3 if a "
          "rule halts it",
      .options = {{.name = "--watch",
                   .target = &flags->watch,
                   .meaning = "Keep refining new rows; otherwise exit once everything that "
                              "Bronze has is refined"},
                  {.name = "--restate",
                   .target = Storing(ParseDates, &flags->restate),
                   .meaning = "Judge the rows of these dates again, by the current rules, rates "
                              "and SQL, and nothing else",
                   .value = "FROM..TO",
                   .excludes = "--watch"},
                  {.name = "--rebuild",
                   .target = &flags->rebuild,
                   .meaning = "Judge the rows of all dates again, and rows without a date",
                   .excludes = "--watch"}},
      .run = Running(flags, RunRefineCommand),
      .commands = {RefineStatusCommand(), RefineAcceptCommand(), RefineVerifyCommand(),
                   RefineTestCommand(), RefineSqlCommand()},
      .check = [flags]() -> Status {
        if (!flags->restate || !flags->rebuild) return Status::OK();
        return Status::Invalid("--rebuild restates all dates: leave out --restate");
      },
      .serves_metrics = true,
      .service = true};
}

}  // namespace shopstream::cli
