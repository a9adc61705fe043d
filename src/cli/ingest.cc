#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "base/error_kind.h"
#include "base/json.h"
#include "base/log.h"
#include "base/probes.h"
#include "base/progress_line.h"
#include "base/shutdown.h"
#include "base/table_printer.h"
#include "cli/command.h"
#include "ingest/adopt.h"
#include "ingest/ingest_end.h"
#include "ingest/mirror_log.h"
#include "ingest/pipeline.h"

namespace shopstream::cli {
namespace {

struct IngestFlags {
  bool until_caught_up = false;
  bool adopt = false, mirror_ended = false;
  std::string earlier_topic_id;
};

// How long the group waits for a member that died.
std::string PatienceOf(const KafkaConfig& config) {
  const auto protocol = config.security.find("group.protocol");
  const bool brokers_decide = protocol != config.security.end() && protocol->second == "consumer";
  return brokers_decide ? "until its session times out" : "up to 10 s";
}

// How far behind it is, or why that is not known.
std::string Behind(const ingest::IngestStats& stats, const std::string& patience) {
  if (!stats.unreachable().empty()) return "no broker answers: " + stats.unreachable();
  if (stats.assigned() == 0) {
    if (stats.joined()) return "no partition is ours: the other members of the group have them all";
    return "waiting for partitions: the group is assigning them; if a member died, " + patience;
  }
  const int64_t unknown = stats.partitions_of_unknown_lag();
  std::string text = stats.lag() ? FormatCount(*stats.lag()) + " behind" : "";
  if (unknown > 0) {
    text += fmt::format("{}{} of {} partitions of unknown lag", text.empty() ? "" : " · ", unknown,
                        stats.assigned());
  }
  if (stats.partitions_stopped() > 0) {
    text +=
        fmt::format(" · {} stopped, see `shopstream progress show`", stats.partitions_stopped());
  }
  return text;
}

// For /readyz; empty: it reads, or would if the group gave it a partition.
std::string WhyNotReady(const ingest::IngestStats& stats) {
  if (!stats.unreachable().empty()) return "no broker answers: " + stats.unreachable();
  if (!stats.joined()) return "waiting for the group to assign partitions";
  if (!stats.paused_why().empty())
    return "reading is paused: waiting for the " + stats.paused_why();
  return "";
}

class Progress {
 public:
  Progress(const ingest::IngestStats* stats, std::string patience)
      : stats_(stats), patience_(std::move(patience)) {}

  void Tick() {
    const BootClock::time_point now = BootClock::now();
    if (!line_.IsDue(now)) return;
    const double seconds = std::chrono::duration<double>(now - shown_at_).count();
    const double rate = static_cast<double>(stats_->rows() - shown_rows_) / seconds;
    line_.Show(
        fmt::format("{} in Bronze, {}/s · {} quarantined · {} · {}, p99 {} ms{}",
                    Counted(stats_->rows(), "row"), FormatCount(static_cast<int64_t>(rate)),
                    FormatCount(stats_->quarantined()), Behind(*stats_, patience_),
                    Counted(stats_->commits(), "commit"), stats_->cut_seconds().QuantileMillis(.99),
                    stats_->paused_why().empty()
                        ? ""
                        : " · paused: waiting for the " + stats_->paused_why()),
        now);
    shown_at_ = now;
    shown_rows_ = stats_->rows();
  }

  void End() { line_.End(); }

 private:
  const ingest::IngestStats* stats_;
  const std::string patience_;
  BootClock::time_point shown_at_ = BootClock::now();
  int64_t shown_rows_ = 0;
  ProgressLine line_{{.in_place = Millis{900}, .logged = Millis{10'000}}, shown_at_};
};

void PrintSummary(const ingest::IngestStats& stats, const ingest::IngestEnd& end, bool as_json) {
  if (as_json) {
    nlohmann::json summary = ingest::ToJson(stats);
    summary["stopped"] = end.stopped;
    summary["missing"] = nlohmann::json::object();
    for (const auto& [partition, why] : end.missing) {
      summary["missing"][std::to_string(partition)] = why;
    }
    std::cout << DumpJson(summary) << "\n";
    return;
  }
  std::cout << fmt::format(
      "{} into Bronze and {} into quarantine, in {:.1f} s ({}/s)\n"
      "{} (p50 {} ms, p99 {} ms from cut to readable), {}, {}\n",
      Counted(stats.rows(), "row"), Counted(stats.quarantined(), "record"), stats.seconds(),
      FormatCount(stats.records_per_second()), Counted(stats.commits(), "commit"),
      stats.cut_seconds().QuantileMillis(.5), stats.cut_seconds().QuantileMillis(.99),
      Counted(stats.files(), "file"), FormatBytes(stats.file_bytes()));
}

// What the lake lacks, although ingest was to catch up.
void ExplainRest(const ingest::IngestEnd& end) {
  for (const int32_t partition : end.stopped) {
    Log::Tell(LogLevel::kError,
              fmt::format("partition {} is stopped; see `shopstream progress show`", partition));
  }
  for (const auto& [partition, why] : end.missing) {
    Log::Tell(LogLevel::kError, fmt::format("partition {} has not caught up: {}", partition, why));
  }
}

// A plain ingest has done its work once everything that it has read is committed.
ExitCode CodeOf(const ingest::IngestEnd& end, bool until_caught_up) {
  if (end.interrupted) {
    Log::Tell(LogLevel::kError, "interrupted before the lake had caught up");
    return kInterrupted;
  }
  if (!until_caught_up) return end.flushed ? kDone : kInterrupted;
  ExplainRest(end);
  return end.stopped.empty() && end.missing.empty() ? kDone : kDifferenceFound;
}

std::string DescribeAdopted(const ingest::AdoptedPartition& p) {
  const tables::Adoption& adoption = p.adoption;
  std::string text = fmt::format(
      "partition {}: the mirror's offsets below {} are in the lake, from the earlier topic below "
      "{}",
      p.partition, adoption.below, adoption.earlier_end);
  if (p.compared > 0) text += fmt::format("; {} agree", Counted(p.compared, "record"));
  if (!adoption.copies.empty()) {
    const int64_t copies = std::ssize(adoption.copies);
    text += fmt::format("; {} {} among new records", FormatCount(copies),
                        copies == 1 ? "copy" : "copies");
  }
  if (p.ahead > 0) text += fmt::format("; the last {} are only in the lake", p.ahead);
  if (p.absent > 0) text += fmt::format("; the mirror lacks {} before them", p.absent);
  return text;
}

Status Adopt(const Config& config, const IngestFlags& flags, const std::function<bool()>& stop,
             const ingest::OpenLake& lake, kafka::Admin* admin, registry::SchemaSource* registry) {
  ingest::KafkaMirrorLog records(config.kafka, admin, stop);
  ARROW_ASSIGN_OR_RAISE(
      const ingest::AdoptReport report,
      ingest::AdoptMirror(lake, {.topics = admin, .records = &records, .registry = registry},
                          config.kafka.topic,
                          {.mirror_ended = flags.mirror_ended,
                           .earlier_topic_id = flags.earlier_topic_id,
                           .stop = stop}));
  Log::Info("Topic {} (id {}) {} the topic with the id {}.", config.kafka.topic, report.topic_id,
            report.already ? "already continues" : "continues", report.earlier_topic_id);
  for (const ingest::AdoptedPartition& p : report.partitions) Log::Info("{}.", DescribeAdopted(p));
  return Status::OK();
}

Result<int> RunCommand(const Context& context, const IngestFlags& flags) {
  if (!flags.adopt && (flags.mirror_ended || !flags.earlier_topic_id.empty())) {
    Log::Tell(LogLevel::kError, "--mirror-ended and --earlier-topic-id need --adopt");
    return kWrongUsage;
  }
  ingest::IngestStats stats;
  Progress progress(&stats, PatienceOf(context.config.kafka));
  Probes& probes = Probes::OfProcess();
  // Called once in each round of the loop.
  const auto stop = [&] {
    probes.Beat();
    return ShutdownRequested();
  };
  ingest::IngestRun run{.until_caught_up = flags.until_caught_up, .first = nullptr};
  if (flags.adopt) {
    run.first = [&](const ingest::OpenLake& lake, kafka::Admin* admin,
                    registry::SchemaSource* registry) {
      return Adopt(context.config, flags, stop, lake, admin, registry);
    };
  }
  const Result<ingest::IngestEnd> end = ingest::RunIngest(context.config, run, &stats, stop, [&] {
    probes.SetUnready(WhyNotReady(stats));
    progress.Tick();
  });
  progress.End();
  // A start that failed has nothing to sum up.
  if (end.ok() || stats.commits() > 0) {
    PrintSummary(stats, end.ok() ? *end : ingest::IngestEnd{}, context.json);
  }
  if (!end.ok() && ShutdownRequested() && IsUnavailable(end.status())) {
    Log::Tell(LogLevel::kError, "interrupted: " + end.status().message());
    return kInterrupted;
  }
  ARROW_RETURN_NOT_OK(end.status());
  return CodeOf(*end, flags.until_caught_up);
}

}  // namespace

Command IngestCommand() {
  auto flags = std::make_shared<IngestFlags>();
  return {
      .name = "ingest",
      .meaning = "Ingest from Kafka into Bronze, exactly once",
      .options =
          {{.name = "--until-caught-up",
            .target = &flags->until_caught_up,
            .meaning = "Stop once the lake has reached the current end of the topic; exits with "
                       "3 if partitions are stopped or cannot be read"},
           {.name = "--adopt",
            .target = &flags->adopt,
            .meaning = "First make the lake continue in this topic, a mirror of the one that "
                       "it has read until now; see docs/failover.md"},
           {.name = "--mirror-ended",
            .target = &flags->mirror_ended,
            .meaning = "With --adopt: the mirror gets no more records of the earlier topic"},
           {.name = "--earlier-topic-id",
            .target = &flags->earlier_topic_id,
            .meaning = "With --adopt: the topic that is mirrored, if the lake has read several",
            .value = "ID"}},
      .run = Running(flags, RunCommand),
      .serves_metrics = true,
      .service = true};
}

}  // namespace shopstream::cli
