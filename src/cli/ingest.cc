#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/shutdown.h"
#include "base/table_printer.h"
#include "cli/command.h"
#include "ingest/pipeline.h"

namespace shopstream::cli {
namespace {

// A line a second on a terminal, in place; elsewhere a log line every ten.
class ProgressLine {
 public:
  explicit ProgressLine(const ingest::IngestStats* stats) : stats_(stats) {}

  void Tick() {
    const BootClock::time_point now = BootClock::now();
    const double seconds = std::chrono::duration<double>(now - last_).count();
    if (seconds < (terminal_ ? 0.9 : 10)) return;
    const double rate = static_cast<double>(stats_->rows() - last_rows_) / seconds;
    std::string line = fmt::format(
        "{} rows in Bronze, {}/s · {} quarantined · {} behind · {} commits, p99 {} ms{}",
        FormatCount(stats_->rows()), FormatCount(static_cast<int64_t>(rate)),
        FormatCount(stats_->quarantined()), FormatCount(stats_->lag()),
        FormatCount(stats_->commits()), stats_->cuts().Quantile(.99),
        stats_->paused_why().empty() ? "" : " · paused: waiting for the " + stats_->paused_why());
    if (terminal_) {
      std::cerr << "\r\033[K" << line << std::flush;
    } else {
      Log::Info("{}", line);
    }
    last_ = now;
    last_rows_ = stats_->rows();
  }

  void End() const {
    if (terminal_) std::cerr << "\r\033[K" << std::flush;
  }

 private:
  const ingest::IngestStats* stats_;
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  BootClock::time_point last_ = BootClock::now();
  int64_t last_rows_ = 0;
};

nlohmann::json Quantiles(const ingest::Latencies& latencies) {
  return {{"p50_ms", latencies.Quantile(.5)}, {"p99_ms", latencies.Quantile(.99)}};
}

nlohmann::json Summary(const ingest::IngestStats& stats) {
  const double seconds = stats.seconds();
  const int64_t records = stats.rows() + stats.quarantined();
  return {{"rows", stats.rows()},
          {"quarantined", stats.quarantined()},
          {"quarantined_by_cause", stats.quarantined_by_cause()},
          {"commits", stats.commits()},
          {"files", stats.files()},
          {"file_bytes", stats.file_bytes()},
          {"fences", stats.fences()},
          {"seconds", seconds},
          {"records_per_second",
           static_cast<int64_t>(seconds > 0 ? static_cast<double>(records) / seconds : 0)},
          {"log_commit", Quantiles(stats.log_commits())},
          {"cut", Quantiles(stats.cuts())},
          {"freshness", Quantiles(stats.freshness())}};
}

void PrintSummary(const ingest::IngestStats& stats, bool as_json) {
  const nlohmann::json summary = Summary(stats);
  if (as_json) {
    std::cout << summary.dump() << "\n";
    return;
  }
  std::cout << fmt::format(
      "{} rows into Bronze and {} records into quarantine, in {:.1f} s ({}/s)\n"
      "{} commits (p50 {} ms, p99 {} ms from cut to readable), {} files, {}\n",
      FormatCount(stats.rows()), FormatCount(stats.quarantined()), stats.seconds(),
      FormatCount(summary["records_per_second"].get<int64_t>()), FormatCount(stats.commits()),
      stats.cuts().Quantile(.5), stats.cuts().Quantile(.99), FormatCount(stats.files()),
      FormatBytes(stats.file_bytes()));
}

Result<int> RunCommand(const Context& context, bool until_caught_up) {
  InstallShutdownHandlers();
  ARROW_ASSIGN_OR_RAISE(auto metrics, ServeMetrics(context.config.metrics.listen));
  ingest::IngestStats stats;
  ProgressLine progress(&stats);
  const Status status =
      ingest::RunIngest(context.config, {.until_caught_up = until_caught_up, .layout = {}}, &stats,
                        ShutdownRequested, [&] { progress.Tick(); });
  progress.End();
  PrintSummary(stats, context.json);
  ARROW_RETURN_NOT_OK(status);
  return kDone;
}

}  // namespace

void AddIngest(CLI::App& app, Job* job) {
  CLI::App* command = app.add_subcommand("ingest", "Kafka to Bronze, exactly once");
  auto until_caught_up = std::make_shared<bool>(false);
  command->add_flag("--until-caught-up", *until_caught_up,
                    "Stop once the lake is at or past the ends that the topic has now");
  command->callback([job, until_caught_up] {
    *job = [until_caught_up](const Context& context) {
      return RunCommand(context, *until_caught_up);
    };
  });
}

}  // namespace shopstream::cli
