#include <chrono>
#include <iostream>
#include <memory>
#include <string>

#include "base/json.h"
#include "base/progress_line.h"
#include "base/report.h"
#include "base/shutdown.h"
#include "base/table_printer.h"
#include "cli/table_commands.h"
#include "lake/delta/existing_table.h"
#include "lake/store/object_store.h"
#include "lake/upkeep/reports.h"
#include "lake/upkeep/vacuum.h"

namespace shopstream::cli {
namespace {

struct VacuumFlags {
  std::string name;
  bool remove = false;
  int64_t retention_hours = 24;
  bool force = false;
};

TablePrinter Listed(const lake::VacuumReport& report) {
  TablePrinter listed({"path", "bytes", "modified"});
  for (const lake::ObjectEntry& file : report.listed) {
    listed.AddRow(
        {Printable(file.path), FormatBytes(file.size_bytes), FormatTimestamp(file.modified_ms)});
  }
  return listed;
}

std::string Advice(const VacuumFlags& flags) {
  std::string command = "shopstream table vacuum " + flags.name + " --delete";
  if (flags.retention_hours != 24) {
    command += " --retention-hours " + std::to_string(flags.retention_hours);
  }
  return command + (flags.force ? " --force" : "");
}

void PrintForPerson(const VacuumFlags& flags, const lake::VacuumReport& report) {
  const lake::VacuumResult& result = report.result;
  if (result.files > 0) Listed(report).Print(std::cout, false);
  if (report.listed.size() < static_cast<size_t>(result.files)) {
    std::cout << "... and "
              << FormatCount(result.files - static_cast<int64_t>(report.listed.size()))
              << " more; --json lists all\n";
  }
  const std::string totals = Counted(result.files, "file") + ", " + FormatBytes(result.bytes) +
                             ", of " + FormatCount(result.files_seen) +
                             " examined; no version needs them";
  if (flags.remove) {
    std::cout << "Deleted " << totals << ". Abandoned writes removed: " << result.uploads_given_up
              << ".\n";
  } else if (result.files == 0) {
    std::cout << "Nothing to delete: " << Counted(result.files_seen, "file") << " examined.\n";
  } else {
    std::cout << "Would delete " << totals << ". Nothing was deleted yet. To delete them, run:\n  "
              << Advice(flags) << "\n";
  }
  if (!result.finished) std::cout << "Stopped early.\n";
}

Result<int> RunVacuum(const Context& context, const VacuumFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto table, lake::OpenExisting(store.get(), flags.name));
  ProgressLine progress({Millis{200}, Millis{10000}}, BootClock::now());
  lake::VacuumReport report{
      .table = flags.name, .deleted = flags.remove, .result = {}, .listed = {}};
  lake::VacuumOptions options;
  options.retention = std::chrono::hours(flags.retention_hours);
  options.force = flags.force;
  options.dry_run = !flags.remove;
  options.on_file = [&](const lake::ObjectEntry& file) {
    if (context.json || report.listed.size() < kListedFiles) report.listed.push_back(file);
  };
  options.on_progress = [&](int64_t files_seen) {
    const auto now = BootClock::now();
    if (!progress.IsDue(now)) return;
    progress.Show("vacuum " + flags.name + ": " + Counted(files_seen, "file") + " examined", now);
  };
  const auto result = lake::Vacuum(table.get(), options, ShutdownRequested);
  progress.End();
  ARROW_RETURN_NOT_OK(result.status());
  report.result = *result;
  context.json ? PrintReport(std::cout, lake::ToJson(report)) : PrintForPerson(flags, report);
  return report.result.finished ? kDone : kFailed;
}

}  // namespace

Command TableVacuumCommand() {
  const auto flags = std::make_shared<VacuumFlags>();
  return {
      .name = "vacuum",
      .meaning = "List the files that no version of a table needs; with --delete, delete them",
      .options = {TableNameOption(&flags->name),
                  {.name = "--delete",
                   .target = &flags->remove,
                   .meaning = "Delete them; without this flag nothing changes"},
                  {.name = "--retention-hours",
                   .target = &flags->retention_hours,
                   .meaning = "Keep files younger than this, by the server's clock",
                   .value = "N",
                   .show_default = true,
                   .bounds = Bounds{0, int64_t{24} * 366 * 10}},
                  {.name = "--force",
                   .target = &flags->force,
                   .meaning = "Allow less than 24 hours; only if nothing is writing to the table"}},
      .run = Running(flags, RunVacuum)};
}

}  // namespace shopstream::cli
