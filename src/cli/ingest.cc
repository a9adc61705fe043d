#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress_line.h"
#include "base/shutdown.h"
#include "base/table_printer.h"
#include "cli/command.h"
#include "ingest/pipeline.h"

namespace shopstream::cli {
namespace {

struct IngestFlags {
  bool until_caught_up = false;
};

class Progress {
 public:
  explicit Progress(const ingest::IngestStats* stats) : stats_(stats) {}

  void Tick() {
    const BootClock::time_point now = BootClock::now();
    if (!line_.IsDue(now)) return;
    const double seconds = std::chrono::duration<double>(now - shown_at_).count();
    const double rate = static_cast<double>(stats_->rows() - shown_rows_) / seconds;
    line_.Show(
        fmt::format(
            "{} rows in Bronze, {}/s · {} quarantined · {} behind · {} commits, p99 {} ms{}",
            FormatCount(stats_->rows()), FormatCount(static_cast<int64_t>(rate)),
            FormatCount(stats_->quarantined()), FormatCount(stats_->lag()),
            FormatCount(stats_->commits()), stats_->cuts().Quantile(.99),
            stats_->paused_why().empty() ? ""
                                         : " · paused: waiting for the " + stats_->paused_why()),
        now);
    shown_at_ = now;
    shown_rows_ = stats_->rows();
  }

  void End() { line_.End(); }

 private:
  const ingest::IngestStats* stats_;
  BootClock::time_point shown_at_ = BootClock::now();
  int64_t shown_rows_ = 0;
  ProgressLine line_{{.in_place = Millis{900}, .logged = Millis{10'000}}, shown_at_};
};

void PrintSummary(const ingest::IngestStats& stats, bool as_json) {
  if (as_json) {
    std::cout << DumpJson(ingest::ToJson(stats)) << "\n";
    return;
  }
  std::cout << fmt::format(
      "{} rows into Bronze and {} records into quarantine, in {:.1f} s ({}/s)\n"
      "{} commits (p50 {} ms, p99 {} ms from cut to readable), {} files, {}\n",
      FormatCount(stats.rows()), FormatCount(stats.quarantined()), stats.seconds(),
      FormatCount(stats.records_per_second()), FormatCount(stats.commits()),
      stats.cuts().Quantile(.5), stats.cuts().Quantile(.99), FormatCount(stats.files()),
      FormatBytes(stats.file_bytes()));
}

Result<int> RunCommand(const Context& context, const IngestFlags& flags) {
  ingest::IngestStats stats;
  Progress progress(&stats);
  const Status status = ingest::RunIngest(context.config, flags.until_caught_up, &stats,
                                          ShutdownRequested, [&] { progress.Tick(); });
  progress.End();
  PrintSummary(stats, context.json);
  ARROW_RETURN_NOT_OK(status);
  return kDone;
}

}  // namespace

Command IngestCommand() {
  auto flags = std::make_shared<IngestFlags>();
  return {.name = "ingest",
          .meaning = "Ingest from Kafka into Bronze, exactly once",
          .options = {{.name = "--until-caught-up",
                       .target = &flags->until_caught_up,
                       .meaning = "Stop once the lake has reached the current end of the topic"}},
          .run = Running(flags, RunCommand),
          .serves_metrics = true};
}

}  // namespace shopstream::cli
