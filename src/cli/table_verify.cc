#include <iostream>
#include <memory>
#include <string>

#include "base/format.h"
#include "base/json.h"
#include "base/progress_line.h"
#include "base/report.h"
#include "base/shutdown.h"
#include "base/table_printer.h"
#include "cli/table_commands.h"
#include "lake/delta/existing_table.h"
#include "lake/store/object_store.h"
#include "lake/upkeep/reports.h"
#include "lake/upkeep/verify.h"

namespace shopstream::cli {
namespace {

struct VerifyFlags {
  std::string name;
  bool deep = false;
  size_t limit = 100;
};

TablePrinter Findings(const lake::VerifyReport& report) {
  TablePrinter printer({"path", "difference"});
  for (const lake::VerifyFinding& finding : report.findings) {
    printer.AddRow({Printable(finding.path), Printable(finding.reason)});
  }
  return printer;
}

void PrintForPerson(const VerifyFlags& flags, const lake::VerifyReport& report) {
  if (!report.findings.empty()) Findings(report).Print(std::cout, false);
  const auto kept = static_cast<int64_t>(report.findings.size());
  if (report.finding_count > kept) {
    std::cout << "... and " << FormatCount(report.finding_count - kept)
              << " more; show more with --limit\n";
  }
  std::cout << flags.name << " at version " << report.version << ": "
            << Counted(report.files, "live file") << ", " << Counted(report.rows, "row") << ", "
            << FormatBytes(report.bytes) << "; " << FormatCount(report.log_entries)
            << (report.log_entries == 1 ? " log entry, " : " log entries, ")
            << Counted(report.checkpoints, "checkpoint") << " (" << report.checkpoints_compared
            << " compared).\n";
  if (const auto advice = lake::RepairAdvice(flags.name, report.repairs); !advice.empty()) {
    std::cout << advice << ".\n";
  }
  if (report.orphan_files > 0) {
    std::cout << Counted(report.orphan_files, "file") << " (" << FormatBytes(report.orphan_bytes)
              << ") outside every version, which is not an error: `shopstream table vacuum "
              << flags.name << "` lists those that are old enough to delete.\n";
  }
  if (!report.finished) {
    std::cout << "Stopped early.\n";
  } else if (report.clean()) {
    std::cout << "Clean: the table matches its log"
              << (flags.deep ? ", every value read.\n" : "; --deep reads every value too.\n");
  } else {
    std::cout << FormatCount(report.finding_count)
              << " differences; docs/operations.md describes the remedies.\n";
  }
}

Result<int> RunVerify(const Context& context, const VerifyFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ProgressLine progress({Millis{200}, Millis{10000}}, BootClock::now());
  lake::VerifyOptions options;
  options.deep = flags.deep;
  options.max_findings = flags.limit;
  options.on_progress = [&](const std::string& what, int64_t done, int64_t total) {
    const auto now = BootClock::now();
    if (!progress.IsDue(now)) return;
    const std::string of = total > 0 ? " of " + FormatCount(total) : "";
    progress.Show("verify " + flags.name + ": " + what + " " + FormatCount(done) + of, now);
  };
  const auto report = lake::VerifyTable(store.get(), flags.name, options, ShutdownRequested);
  progress.End();
  // Names the tables that exist.
  if (report.status().IsKeyError()) return lake::OpenExisting(store.get(), flags.name).status();
  ARROW_RETURN_NOT_OK(report.status());
  if (context.json) {
    PrintReport(std::cout, lake::ToJson(lake::VerifiedTable{
                               .table = flags.name, .deep = flags.deep, .result = *report}));
  } else {
    PrintForPerson(flags, *report);
  }
  if (!report->clean()) return kDifferenceFound;
  return report->finished ? kDone : kFailed;
}

}  // namespace

Command TableVerifyCommand() {
  const auto flags = std::make_shared<VerifyFlags>();
  return {.name = "verify",
          .meaning = "Check a table's files against its log; exits with 3 if they differ",
          .options = {TableNameOption(&flags->name),
                      {.name = "--deep",
                       .target = &flags->deep,
                       .meaning = "Read every value, and compare every checkpoint"},
                      {.name = "--limit",
                       .target = &flags->limit,
                       .meaning = "Maximum number of differences to list; all are counted",
                       .value = "N",
                       .show_default = true,
                       .bounds = Bounds{1, 1'000'000}}},
          .run = Running(flags, RunVerify)};
}

}  // namespace shopstream::cli
