#include "observe/quarantine.h"

#include <algorithm>
#include <iostream>
#include <limits>
#include <memory>

#include "base/format.h"
#include "base/join.h"
#include "base/json.h"
#include "base/nearest_name.h"
#include "base/probes.h"
#include "base/progress_line.h"
#include "base/report.h"
#include "base/shutdown.h"
#include "base/table_printer.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "ingest/cause.h"
#include "ingest/quarantine_replay.h"
#include "lake/store/object_store.h"

namespace shopstream::cli {
namespace {

using observe::QuarantinedRow;
using observe::SentAt;

struct QuarantineFlags {
  std::string cause;
  size_t limit = 50;
  int32_t partition = 0;
  int64_t offset = 0;
  ingest::ReplayFilter replay;
  int64_t batch = ingest::QuarantineReplay::Options().batch_rows;
};

Cell Bytes(const QuarantinedRow& row) {
  return row.value ? Cell(row.value->size()) : Cell(nullptr);
}

TablePrinter RowTable(const observe::QuarantineListing& listing) {
  TablePrinter table({"time", "partition", "offset", "cause", "detail", "bytes"});
  for (const QuarantinedRow& row : listing.newest) {
    table.AddRow({SentAt(row), row.partition, row.offset, row.cause, row.detail, Bytes(row)});
  }
  return table;
}

TablePrinter CauseTable(const observe::QuarantineListing& listing) {
  TablePrinter table({"cause", "rows"});
  for (const auto& [cause, rows] : listing.by_cause) table.AddRow({cause, rows});
  return table;
}

Result<int> ListQuarantined(const Context& context, const QuarantineFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto listing,
                        observe::ListQuarantine(store.get(), context.config.lake.quarantine_table,
                                                flags.cause, flags.limit));
  if (context.json) {
    PrintReport(std::cout, observe::ToJson(listing));
    return kDone;
  }
  if (listing.by_cause.empty()) {
    std::cout << "Nothing is in quarantine.\n";
    return kDone;
  }
  RowTable(listing).Print(std::cout, false);
  std::cout << "\nthe newest " << FormatCount(static_cast<int64_t>(listing.newest.size())) << " of "
            << FormatCount(listing.matching) << "; all rows by cause:\n";
  CauseTable(listing).Print(std::cout, false);
  return kDone;
}

void PrintBytes(const char* name, const std::optional<std::string>& bytes) {
  if (!bytes) {
    std::cout << name << ": null\n";
    return;
  }
  std::cout << name << ", " << Counted(static_cast<int64_t>(bytes->size()), "byte") << ":\n"
            << observe::HexDump(*bytes);
}

void PrintForPerson(const QuarantinedRow& row) {
  std::cout << "record      " << Printable(row.topic) << " partition " << row.partition
            << " offset " << row.offset << "\n"
            << "topic id    " << Printable(row.topic_id) << "\n"
            << "sent        " << SentAt(row) << "\n"
            << "quarantined " << FormatTimestamp(row.quarantined_at_us / 1000) << "\n"
            << "cause       " << Printable(row.cause) << "\n"
            << "detail      " << Printable(row.detail) << "\n"
            << "schema id   " << (row.schema_id ? std::to_string(*row.schema_id) : "null") << "\n"
            << "headers     " << Printable(row.headers) << "\n";
  PrintBytes("key", row.key);
  PrintBytes("value", row.value);
}

Result<int> Show(const Context& context, const QuarantineFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto rows,
                        observe::FindQuarantined(store.get(), context.config.lake.quarantine_table,
                                                 flags.partition, flags.offset));
  if (rows.empty()) {
    return Status::KeyError("partition ", flags.partition, " offset ", flags.offset,
                            " is not in quarantine: `shopstream quarantine list` shows what is");
  }
  if (context.json) {
    auto all = nlohmann::ordered_json::array();
    for (const QuarantinedRow& row : rows) all.push_back(observe::ToJson(row));
    std::cout << DumpJson(all, 2) << "\n";
    return kDone;
  }
  for (const QuarantinedRow& row : rows) PrintForPerson(row);
  return kDone;
}

TablePrinter ReplayTable(const ingest::ReplaySummary& summary) {
  TablePrinter table({"outcome", "cause", "records"});
  table.AddRow({"replayed", nullptr, summary.replayed});
  table.AddRow({"already_there", nullptr, summary.already_there});
  if (summary.awaited > 0) table.AddRow({"awaits_ingest", nullptr, summary.awaited});
  for (const auto& [cause, records] : summary.unreadable) {
    table.AddRow({"still_unreadable", cause, records});
  }
  return table;
}

Result<int> Replay(const Context& context, const QuarantineFlags& flags) {
  ProgressLine line({.in_place = Millis{900}, .logged = Millis{10'000}}, BootClock::now());
  ingest::QuarantineReplay::Options options;
  options.batch_rows = flags.batch;
  options.stop = [] {
    Probes::OfProcess().Beat();
    return ShutdownRequested();
  };
  options.progress = [&](const ingest::ReplaySummary& summary) {
    const BootClock::time_point now = BootClock::now();
    if (!line.IsDue(now)) return;
    line.Show(
        Counted(summary.replayed, "record") + " replayed in " + Counted(summary.commits, "commit"),
        now);
  };
  const auto summary =
      ingest::RunQuarantineReplay(context.config, flags.replay, std::move(options));
  line.End();
  ARROW_RETURN_NOT_OK(summary.status());
  ReplayTable(*summary).Print(std::cout, context.json);
  if (context.json) std::cout << '\n';
  return kDone;
}

std::string CheckCause(const std::string& text) {
  const std::vector<std::string> causes = ingest::CauseNames();
  if (std::find(causes.begin(), causes.end(), text) != causes.end()) return "";
  return "unknown cause '" + text + "'" + DidYouMean(text, causes) + " (causes are " +
         Joined(causes, ", ") + ")";
}

Option TimeOption(const char* name, std::optional<int64_t>* millis, const char* meaning) {
  return {.name = name, .target = Storing(ParseTimestamp, millis), .meaning = meaning};
}

Command ListCommand(const std::shared_ptr<QuarantineFlags>& flags) {
  return {.name = "list",
          .meaning = "List the newest records, and the number of rows per cause",
          .options = {{.name = "--cause",
                       .target = &flags->cause,
                       .meaning = "Only records with this cause, e.g. corrupt",
                       .check = CheckCause},
                      {.name = "--limit",
                       .target = &flags->limit,
                       .meaning = "Maximum number of rows to list",
                       .show_default = true,
                       .bounds = Bounds{1, 100'000}}},
          .run = Running(flags, ListQuarantined)};
}

Command ShowCommand(const std::shared_ptr<QuarantineFlags>& flags) {
  return {.name = "show",
          .meaning = "Show one record with its bytes",
          .options = {{.name = "PARTITION",
                       .target = &flags->partition,
                       .meaning = "Kafka partition",
                       .required = true,
                       .bounds = Bounds{0, std::numeric_limits<int32_t>::max()}},
                      {.name = "OFFSET",
                       .target = &flags->offset,
                       .meaning = "Kafka offset",
                       .required = true,
                       .bounds = Bounds{0}}},
          .run = Running(flags, Show)};
}

Command ReplayCommand(const std::shared_ptr<QuarantineFlags>& flags) {
  return {.name = "replay",
          .meaning =
              "Add the records that are now readable to Bronze, each once; quarantine keeps them",
          .options = {{.name = "--cause",
                       .target = &flags->replay.cause,
                       .meaning = "Only records with this cause",
                       .check = CheckCause},
                      TimeOption("--since", &flags->replay.since_ms,
                                 "Only records sent at this time or later"),
                      TimeOption("--until", &flags->replay.until_ms,
                                 "Only records sent before this time"),
                      {.name = "--batch",
                       .target = &flags->batch,
                       .meaning = "Maximum number of records per commit",
                       .show_default = true,
                       .bounds = Bounds{1, 1'000'000}}},
          .run = Running(flags, Replay),
          .serves_metrics = true};
}

}  // namespace

Command QuarantineCommand() {
  auto flags = std::make_shared<QuarantineFlags>();
  return {.name = "quarantine",
          .meaning = "Inspect and replay undecodable records",
          .commands = {ListCommand(flags), ShowCommand(flags), ReplayCommand(flags)}};
}

}  // namespace shopstream::cli
