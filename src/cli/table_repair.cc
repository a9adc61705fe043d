#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/format.h"
#include "base/json.h"
#include "base/progress_line.h"
#include "base/report.h"
#include "base/shutdown.h"
#include "base/table_printer.h"
#include "cli/table_commands.h"
#include "lake/delta/existing_table.h"
#include "lake/store/object_store.h"
#include "lake/store/put_proof.h"
#include "lake/upkeep/repair.h"
#include "lake/upkeep/reports.h"
#include "tables/columns.h"

namespace shopstream::cli {
namespace {

struct RepairFlags {
  std::string name;
  bool apply = false;
};

TablePrinter Listed(const lake::RepairReport& report) {
  TablePrinter listed({"path", "needs"});
  for (const auto& file : report.listed) listed.AddRow({Printable(file.path), file.needs});
  return listed;
}

void PrintForPerson(const RepairFlags& flags, const lake::RepairReport& report) {
  const lake::RepairResult& result = report.result;
  const lake::RepairCounts& counts = result.repaired;
  if (counts.files > 0) Listed(report).Print(std::cout, false);
  if (report.listed.size() < static_cast<size_t>(counts.files)) {
    std::cout << "... and "
              << FormatCount(counts.files - static_cast<int64_t>(report.listed.size()))
              << " more; --json lists all\n";
  }
  if (counts.files == 0) {
    std::cout << "Nothing to repair: " << Counted(result.files_seen, "live file") << ".\n";
  } else {
    std::cout << fmt::format("{} {} of {}: path {}, partition {}, statistics {}, footer {}.\n",
                             flags.apply ? "Repaired" : "Would repair", FormatCount(counts.files),
                             Counted(result.files_seen, "live file"), FormatCount(counts.paths),
                             FormatCount(counts.partitions), FormatCount(counts.statistics),
                             FormatCount(counts.footers));
    if (flags.apply) {
      std::cout << fmt::format("{} written, {}, in {}.\n", Counted(result.files_written, "file"),
                               FormatBytes(result.bytes_written),
                               Counted(result.commits, "commit"));
    } else {
      std::cout << "Nothing was changed yet. To repair them, run:\n  shopstream table repair "
                << flags.name << " --apply\n";
    }
  }
  if (!result.finished) std::cout << "Stopped early: run it again.\n";
}

Result<int> RunRepair(const Context& context, const RepairFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto table, lake::OpenExisting(store.get(), flags.name));
  if (flags.apply) ARROW_RETURN_NOT_OK(lake::ProvePutIfAbsent(store.get(), flags.name));
  ProgressLine line({.in_place = Millis{500}, .logged = Millis{10'000}}, BootClock::now());
  lake::RepairReport report{
      .table = flags.name, .repaired = flags.apply, .result = {}, .listed = {}};
  lake::RepairOptions options;
  options.dry_run = !flags.apply;
  options.day_column = tables::kQuarantinedAt;
  lake::RepairHooks hooks;
  hooks.stop = ShutdownRequested;
  hooks.progress = [&](const lake::RepairProgress& progress) {
    const auto now = BootClock::now();
    if (!line.IsDue(now)) return;
    line.Show(fmt::format("repair {}: {} of {} examined, {} {}, {} written", flags.name,
                          FormatCount(progress.files_done), Counted(progress.files, "file"),
                          FormatCount(progress.repaired), flags.apply ? "repaired" : "to repair",
                          FormatBytes(progress.bytes_written)),
              now);
  };
  hooks.on_file = [&](const DataFile& file, const lake::RepairNeeds& needs) {
    if (!context.json && report.listed.size() >= kListedFiles) return;
    report.listed.push_back({file.path, needs.Text()});
  };
  const auto result = lake::Repair(table.get(), options, hooks);
  line.End();
  ARROW_RETURN_NOT_OK(result.status());
  report.result = *result;
  context.json ? PrintReport(std::cout, lake::ToJson(report)) : PrintForPerson(flags, report);
  return report.result.finished ? kDone : kFailed;
}

}  // namespace

Command TableRepairCommand() {
  const auto flags = std::make_shared<RepairFlags>();
  return {
      .name = "repair",
      .meaning = "List the files that endanger or mislead other readers; with --apply, repair them",
      .options = {TableNameOption(&flags->name),
                  {.name = "--apply",
                   .target = &flags->apply,
                   .meaning = "Repair them; without this flag nothing changes"}},
      .run = Running(flags, RunRepair)};
}

}  // namespace shopstream::cli
