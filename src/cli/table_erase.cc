#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error_kind.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress_line.h"
#include "base/report.h"
#include "base/shutdown.h"
#include "base/table_printer.h"
#include "cli/table_commands.h"
#include "ingest/quarantine_erase.h"
#include "lake/delta/retention.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "model/calendar.h"
#include "refine/erase_receipt.h"
#include "refine/refine_loop.h"
#include "refine/refine_stats.h"
#include "refine/refine_tables.h"
#include "tables/refine_state.h"
#include "tables/refine_task.h"

namespace shopstream::cli {
namespace {

constexpr ProgressLine::Intervals kProgressIntervals{.in_place = Millis{500},
                                                     .logged = Millis{10'000}};

struct EraseFlags {
  std::string predicate;
  bool dry_run = false;
  bool yes = false;
};

int PrintRowsToErase(const std::vector<refine::RowsToErase>& counts, bool as_json) {
  TablePrinter printer({"table", "rows"});
  for (const refine::RowsToErase& count : counts) printer.AddRow({count.table, count.rows});
  printer.Print(std::cout, as_json);
  if (!as_json) {
    std::cout << "Rows that match, and copies of such purchases. Quarantine is examined by the "
                 "erase itself.\n";
  }
  return kDone;
}

// Whether the operator agrees. Invalid: there is no terminal to ask on.
Result<bool> ConfirmedErase(const EraseFlags& flags) {
  if (flags.yes) return true;
  if (isatty(STDIN_FILENO) != 1) {
    return Status::Invalid(
        "an erase cannot be undone, and there is no terminal to ask on: give --yes");
  }
  std::cerr << "Erase the rows where " << flags.predicate
            << " from every table? This cannot be undone. Type yes: " << std::flush;
  std::string answer;
  return std::getline(std::cin, answer) && answer == "yes";
}

// A task that an earlier run of the same erase has reserved is finished, not repeated.
Result<tables::RefineTask> TaskFor(lake::ObjectStore* store, const std::string& rejects,
                                   const std::string& predicate) {
  tables::RefineTask task{.kind = tables::TaskKind::kErase, .predicate = predicate};
  const auto table = lake::Table::Open(store, rejects);
  if (table.status().IsKeyError()) return task;
  ARROW_RETURN_NOT_OK(table.status());
  ARROW_ASSIGN_OR_RAISE(const auto open, tables::ReadRefineTask(*(*table)->snapshot()));
  if (!open) return task;
  if (open->kind == task.kind && open->predicate == predicate) {
    Log::Info("Continuing task {} of an earlier run.", open->pass);
    return *open;
  }
  Log::Info("Task {} ({}) is open: it is finished first.", open->pass, tables::Name(open->kind));
  return task;
}

Result<refine::RefineEnd> RunErase(const Context& context, const tables::RefineTask& task) {
  refine::RefineMode mode;
  mode.task = task;
  mode.erase_quarantine = ingest::ConfiguredQuarantineErase(context.config);
  refine::RefineStats stats;
  ProgressLine line(kProgressIntervals, BootClock::now());
  const auto tick = [&] {
    const BootClock::time_point now = BootClock::now();
    if (!line.IsDue(now)) return;
    line.Show(stats.erasing().empty() ? "erasing" : "erasing: " + stats.erasing(), now);
  };
  auto end = refine::RunRefine(context.config, mode, &stats, ShutdownRequested, tick);
  line.End();
  return end;
}

Cell TimeOrNever(int64_t unix_ms) {
  return unix_ms >= lake::kKeepForEverMs ? Cell("never") : Cell(FormatTimestamp(unix_ms));
}

// Gold that could not be computed again.
void PrintClosed(const std::vector<refine::ErasedTable>& tables) {
  for (const refine::ErasedTable& table : tables) {
    if (!table.closed_before) continue;
    std::cout << "Not covered: dates before " << FormatDate(*table.closed_before) << " of "
              << table.table << ", which Silver no longer has. ";
    if (table.closed_erased) {
      std::cout << Counted(*table.closed_erased, "row")
                << " whose key matches the condition were removed; copies of these purchases under "
                   "other keys remain.\n";
    } else {
      std::cout << "Its rows of these dates are unchanged.\n";
    }
  }
}

void PrintReceipt(const refine::EraseReceipt& receipt) {
  std::cout << "Erased by task " << receipt.task << ":\n";
  TablePrinter printer({"table", "version", "rows", "files", "vacuum_after"});
  for (const refine::ErasedTable& table : receipt.tables) {
    printer.AddRow({table.table, OrNull(table.version), OrNull(table.rows), table.files,
                    table.version ? TimeOrNever(table.vacuum_after_ms) : Cell(nullptr)});
  }
  printer.Print(std::cout, false);
  std::cout << "\nThis holds for what Bronze had at version " << receipt.bronze_version
            << ". Replaced files are deleted by these commands, from the times above on:\n";
  for (const refine::ErasedTable& table : receipt.tables) {
    if (table.files > 0) std::cout << "  shopstream table vacuum " << table.table << " --delete\n";
  }
  std::cout
      << "The logs show the condition, and least and greatest values of replaced files, until "
      << (receipt.log_gone_after_ms >= lake::kKeepForEverMs
              ? "somebody shortens delta.logRetentionDuration"
              : FormatTimestamp(receipt.log_gone_after_ms))
      << ".\nNot covered: Kafka until the topic's retention, backups, archives, rows that arrived "
         "later, and "
      << Counted(receipt.not_examined, "row")
      << " of quarantine that cannot be decoded (`shopstream quarantine list`).\n";
  PrintClosed(receipt.tables);
}

// Refuses a condition that does not fit before anything is reserved.
Result<std::vector<refine::RowsToErase>> CountRows(lake::ObjectStore* store,
                                                   const refine::RefinePaths& paths,
                                                   const std::string& predicate) {
  ProgressLine line(kProgressIntervals, BootClock::now());
  const auto show = [&](const std::string& table, int64_t files, int64_t of) {
    const BootClock::time_point now = BootClock::now();
    if (!line.IsDue(now)) return;
    line.Show("counting: " + table + ", " + FormatCount(files) + " of " + Counted(of, "file"), now);
  };
  auto counts = refine::CountRowsToErase(store, paths, predicate,
                                         {.stop = ShutdownRequested, .progress = show});
  line.End();
  return counts;
}

Result<int> Erase(const Context& context, const EraseFlags& flags) {
  const refine::RefinePaths paths = refine::RefinePaths::From(context.config);
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto counts, CountRows(store.get(), paths, flags.predicate));
  if (flags.dry_run) return PrintRowsToErase(counts, context.json);
  ARROW_ASSIGN_OR_RAISE(const bool confirmed, ConfirmedErase(flags));
  if (!confirmed) {
    Log::Tell(LogLevel::kError, "nothing was erased");
    return kFailed;
  }
  ARROW_ASSIGN_OR_RAISE(const tables::RefineTask task,
                        TaskFor(store.get(), paths.rejects, flags.predicate));
  const auto end = RunErase(context, task);
  const bool stopped = end.ok() ? end->interrupted : ShutdownRequested();
  if (stopped) {
    Log::Tell(LogLevel::kError, "interrupted; the same command, or any refine, erases the rest");
    return kInterrupted;
  }
  ARROW_RETURN_NOT_OK(end.status());
  ARROW_ASSIGN_OR_RAISE(
      const refine::EraseReceipt receipt,
      refine::ReadEraseReceipt(store.get(), paths, context.config.lake.quarantine_table,
                               end->task.value_or(0)));
  context.json ? PrintReport(std::cout, refine::ToJson(receipt)) : PrintReceipt(receipt);
  return kDone;
}

}  // namespace

Command TableEraseCommand() {
  const auto flags = std::make_shared<EraseFlags>();
  return {
      .name = "erase",
      .meaning =
          "Remove the rows of a condition, and copies of such purchases, from every "
          "table",
      .options = {{.name = "--where",
                   .target = &flags->predicate,
                   .meaning =
                       "Boolean expression in SQL over the columns of Bronze; see docs/erasure.md",
                   .value = "EXPR",
                   .required = true},
                  {.name = "--dry-run",
                   .target = &flags->dry_run,
                   .meaning = "Only show how many rows each table would lose"},
                  {.name = "--yes", .target = &flags->yes, .meaning = "Do not ask"}},
      .run = Running(flags, Erase)};
}

}  // namespace shopstream::cli
