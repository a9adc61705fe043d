#include "observe/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "base/error_kind.h"
#include "base/json.h"
#include "base/log.h"
#include "base/report.h"
#include "base/table_printer.h"
#include "cli/command.h"
#include "ingest/accept_loss.h"
#include "kafka/admin.h"
#include "lake/store/object_store.h"
#include "lake/store/put_proof.h"
#include "model/calendar.h"

namespace shopstream::cli {
namespace {

struct AcceptFlags {
  int32_t partition = 0;
  std::optional<uint64_t> until;
  bool yes = false;
};

Result<observe::ProgressReport> ReadReport(const Context& context, lake::ObjectStore* store) {
  ARROW_ASSIGN_OR_RAISE(const auto admin, kafka::Admin::Open(context.config.kafka));
  observe::ProgressOptions options;
  options.progress = [](const std::string& text) { Log::Info("progress: {}", text); };
  return observe::ShowProgress(context.config.kafka, context.config.lake, admin.get(), store,
                               options);
}

std::string SentTime(int64_t sent_ms) {
  return IsKnownMillis(sent_ms) ? FormatTimestamp(sent_ms) : "an unknown time";
}

Cell StateOf(const observe::PartitionReport& p) {
  if (p.state.stopped()) {
    return {std::string("stopped: ") + Name(p.state.stop.reason), Cell::State::kBad};
  }
  return p.kafka ? "read" : "unknown";
}

TablePrinter StateTable(const observe::ProgressReport& report) {
  TablePrinter table({"partition", "txn", "log_start", "end", "last_offset", "last_epoch",
                      "without_record", "lost", "state"});
  for (const observe::PartitionReport& p : report.partitions) {
    const auto& last = p.state.position.last;
    const auto& empty = p.state.position.empty;
    table.AddRow({p.partition, OrNull(p.state.next), p.kafka ? Cell(p.kafka->log_start) : nullptr,
                  p.kafka ? Cell(p.kafka->end) : nullptr, last ? Cell(last->offset) : nullptr,
                  last ? Cell(last->leader_epoch) : nullptr, empty ? Cell(empty->count) : nullptr,
                  p.lost_before(), StateOf(p)});
  }
  return table;
}

// What continuing costs, and what can be rescued before.
void PrintLoss(const observe::PartitionReport& p, const OffsetRange& lost) {
  if (lost.empty()) {
    std::cout << "Kafka has the lake's history again: continuing loses nothing.\n";
    return;
  }
  const observe::Parting::Records& records = p.records_to_lose;
  std::cout << fmt::format("Continuing gives up offsets {} to {} of Kafka's log, {} in all.\n",
                           lost.begin, lost.end - 1, FormatCount(lost.end - lost.begin));
  if (p.kafka && p.kafka->end < lost.end) {
    std::cout << fmt::format(
        "The log ends at {} now: records that get offsets below {} are lost, too.\n", p.kafka->end,
        lost.end);
  }
  if (!p.state.stopped()) {
    std::cout << "The partition is not stopped: Kafka may still deliver records among them.\n";
  }
  if (lost.begin < p.state.next) {
    std::cout << "The lake keeps its rows at these offsets; they come from other records.\n";
  }
  if (records.count == 0) return;
  std::cout << fmt::format(
      "Kafka has {} other records there, the first sent at {}, the last at {}. To keep them, print "
      "them with `shopstream consume --from-beginning` and produce them again.\n",
      FormatCount(records.count), SentTime(records.first_ms), SentTime(records.last_ms));
}

void PrintStopped(const observe::PartitionReport& p) {
  std::cout << fmt::format("\nPartition {} has not been read since {}: {}.\n", p.partition,
                           FormatTimestamp(p.state.stop.at_ms), Meaning(p.state.stop.reason));
  if (!p.would_lose) {
    std::cout << "The loss is unknown: " << p.unknown << "\n";
    return;
  }
  PrintLoss(p, *p.would_lose);
  std::cout << fmt::format(
      "If Kafka's data can be restored as it was, do that. Otherwise continue with `shopstream "
      "progress accept-loss {}`.\n",
      p.partition);
}

void PrintForPerson(const observe::ProgressReport& report) {
  StateTable(report).Print(std::cout, false);
  for (const observe::PartitionReport& p : report.partitions) {
    for (const OffsetRange& range : p.state.lost) {
      std::cout << fmt::format("Partition {}: offsets {} to {} are lost to the lake.\n",
                               p.partition, range.begin, range.end - 1);
    }
    if (p.state.stopped()) {
      PrintStopped(p);
    } else if (!p.kafka) {
      std::cout << fmt::format("Partition {}: Kafka does not answer: {}\n", p.partition, p.unknown);
    }
  }
}

Result<int> ShowProgress(const Context& context) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto report, ReadReport(context, store.get()));
  context.json ? PrintReport(std::cout, observe::ToJson(report)) : PrintForPerson(report);
  return report.any_stopped() || report.any_unknown() ? kDifferenceFound : kDone;
}

// What the operator wants to give up. KeyError, Invalid: nothing of the kind is possible.
Result<ingest::LossToAccept> LossFor(const observe::ProgressReport& report,
                                     const AcceptFlags& flags) {
  if (flags.partition >= std::ssize(report.partitions)) {
    return Status::KeyError("topic ", report.topic, " has no partition ", flags.partition,
                            "; it has ", report.partitions.size());
  }
  const observe::PartitionReport& p = report.partitions[static_cast<size_t>(flags.partition)];
  if (!p.state.next) {
    return Status::Invalid("the lake has not read partition ", flags.partition,
                           " yet: there is nothing to give up");
  }
  if (!p.kafka) return Unavailable("partition ", flags.partition, ": ", p.unknown);
  if (p.state.stopped() && !p.would_lose) {
    return Unavailable("partition ", flags.partition,
                       ": what would be lost is not known: ", p.unknown);
  }
  if (p.state.stop.reason == tables::StopReason::kAdopted) {
    return Status::Invalid("partition ", flags.partition, " is not read because ",
                           Meaning(p.state.stop.reason));
  }
  const int64_t next = *p.state.next;
  ingest::LossToAccept loss{.topic = report.topic,
                            .topic_id = report.topic_id,
                            .next = next,
                            .lost = p.would_lose.value_or(OffsetRange{flags.partition, next, next}),
                            .empty = p.empty_in_loss,
                            .until = {}};
  if (flags.until) {
    const auto until = static_cast<int64_t>(*flags.until);
    // The next offset itself is allowed: the batch that cannot be read may end just before it.
    if (until < next) {
      return Status::Invalid("--until ", until, " is below the offset at which partition ",
                             flags.partition, " continues, ", next);
    }
    if (until > p.kafka->end) {
      return Status::Invalid("--until ", until, " is beyond Kafka's end, ", p.kafka->end);
    }
    loss.lost.end = std::max(loss.lost.end, until);
  } else if (!p.state.stopped()) {
    return Status::Invalid("partition ", flags.partition,
                           " is not stopped: there is nothing to "
                           "give up. See `shopstream progress show`");
  }
  if (flags.until || loss.lost.end > next) loss.until = loss.lost.end;
  return loss;
}

// Whether the operator agrees; nothing: there is no terminal to ask on.
std::optional<bool> Confirmed(const AcceptFlags& flags) {
  if (flags.yes) return true;
  if (isatty(STDIN_FILENO) != 1) return std::nullopt;
  std::cerr << "Continue? Type yes: " << std::flush;
  std::string answer;
  return std::getline(std::cin, answer) && answer == "yes";
}

Result<int> AcceptLoss(const Context& context, const AcceptFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto report, ReadReport(context, store.get()));
  ARROW_ASSIGN_OR_RAISE(const ingest::LossToAccept loss, LossFor(report, flags));
  if (!context.json) {
    PrintLoss(report.partitions[static_cast<size_t>(flags.partition)], loss.lost);
  }
  const std::optional<bool> confirmed = Confirmed(flags);
  if (!confirmed) {
    Log::Tell(LogLevel::kError, "nothing was changed: add --yes to accept this loss");
    return kWrongUsage;
  }
  if (!*confirmed) {
    std::cout << "Nothing was changed.\n";
    return kFailed;
  }
  const std::string& path = context.config.lake.bronze_table;
  ARROW_RETURN_NOT_OK(lake::ProvePutIfAbsent(store.get(), path));
  ARROW_ASSIGN_OR_RAISE(const auto bronze, lake::Table::Open(store.get(), path));
  ARROW_ASSIGN_OR_RAISE(const auto outcome, ingest::AcceptLoss(bronze.get(), loss));
  switch (outcome) {
    case ingest::AcceptOutcome::kNotStopped:
    case ingest::AcceptOutcome::kProgressMoved:
      return Status::Invalid("partition ", flags.partition,
                             " has changed in the meantime, and nothing was accepted: see "
                             "`shopstream progress show`");
    case ingest::AcceptOutcome::kAccepted:
      break;
  }
  const int64_t next = loss.until.value_or(loss.next);
  if (context.json) {
    const bool empty = loss.lost.empty();
    using nlohmann::ordered_json;
    std::cout << DumpJson(ordered_json{
                     {"partition", flags.partition},
                     {"first_offset", empty ? ordered_json() : ordered_json(loss.lost.begin)},
                     {"last_offset", empty ? ordered_json() : ordered_json(loss.lost.end - 1)},
                     {"continues_at", next}})
              << "\n";
  } else {
    std::cout << fmt::format(
        "The loss is recorded. Partition {} is read from offset {} on; a "
        "running ingest continues within seconds.\n",
        flags.partition, next);
  }
  return kDone;
}

}  // namespace

Command ProgressCommand() {
  auto flags = std::make_shared<AcceptFlags>();
  Command show{
      "show",
      "How far the lake has read, and why a partition is stopped; exits with 3 if one is, or "
      "if Kafka does not answer for one",
      {},
      ShowProgress};
  Command accept{
      .name = "accept-loss",
      .meaning = "Continue a stopped partition, and record what is lost",
      .options = {{.name = "PARTITION",
                   .target = &flags->partition,
                   .meaning = "Number of the partition",
                   .required = true,
                   .bounds = Bounds{0, INT32_MAX}},
                  {.name = "--until",
                   .target = &flags->until,
                   .meaning = "Continue at this offset, past records that cannot be read",
                   .value = "OFFSET",
                   .bounds = Bounds{1, INT64_MAX}},
                  {.name = "--yes",
                   .target = &flags->yes,
                   .meaning = "Do not ask for confirmation"}},
      .run = Running(flags, AcceptLoss)};
  return {.name = "progress",
          .meaning = "Show how far the lake has read; continue a stopped partition",
          .commands = {std::move(show), std::move(accept)}};
}

}  // namespace shopstream::cli
