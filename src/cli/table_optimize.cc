#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/format.h"
#include "base/json.h"
#include "base/progress_line.h"
#include "base/shutdown.h"
#include "base/table_printer.h"
#include "cli/table_commands.h"
#include "lake/delta/existing_table.h"
#include "lake/parquet/partition_path.h"
#include "lake/store/object_store.h"
#include "lake/store/put_proof.h"
#include "lake/upkeep/compaction.h"
#include "lake/upkeep/reports.h"

namespace shopstream::cli {
namespace {

struct OptimizeFlags {
  std::string name;
  bool dry_run = false;
};

// Whoever asks for it wants every partition merged, however little that saves: two small files are
// enough. Maintenance in the background waits for more, so that it rewrites rows less often.
constexpr lake::CompactionPlanOptions kPlan = {.growth = 1};

// Shows what would be merged, and into how many files.
Result<int> DryRun(const lake::Table& table, bool as_json) {
  auto groups = lake::PlanCompaction(table.snapshot()->Files(), kPlan);
  TablePrinter printer({"partition", "files", "bytes"});
  int64_t files = 0;
  int64_t bytes = 0;
  for (const lake::CompactionGroup& group : groups) {
    const auto count = static_cast<int64_t>(group.files.size());
    const std::string partition = lake::PartitionFolder(group.partition);
    printer.AddRow({partition.empty() ? "(none)" : Printable(partition), count,
                    as_json ? Cell(group.bytes) : Cell(FormatBytes(group.bytes))});
    files += count;
    bytes += group.bytes;
  }
  printer.Print(std::cout, as_json);
  if (!as_json) {
    std::cout << fmt::format("{}, {}, would become {}\n", Counted(files, "file"),
                             FormatBytes(bytes), FormatCount(static_cast<int64_t>(groups.size())));
  }
  return kDone;
}

void PrintForPerson(const lake::CompactionReport& report, const std::string& name) {
  const lake::CompactionResult& merged = report.result;
  if (merged.files_removed == 0 && !merged.stopped) {
    std::cout << fmt::format("{}: nothing to merge; the table has {}\n", name,
                             Counted(report.files_after, "file"));
    return;
  }
  std::cout << fmt::format(
      "{}: {} became {}; the table has {}, it had {}\n"
      "{}, {} read, {} written, in {:.1f} s and {}\n",
      name, Counted(merged.files_removed, "small file"), FormatCount(merged.files_added),
      Counted(report.files_after, "file"), FormatCount(report.files_before),
      Counted(merged.rows, "row"), FormatBytes(merged.bytes_removed),
      FormatBytes(merged.bytes_added), report.seconds, Counted(merged.commits, "commit"));
  if (merged.stopped) std::cout << "stopped early: unfinished work is discarded; run it again\n";
}

Result<int> Optimize(const Context& context, const OptimizeFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto table, lake::OpenExisting(store.get(), flags.name));
  if (flags.dry_run) return DryRun(*table, context.json);
  ARROW_RETURN_NOT_OK(lake::ProvePutIfAbsent(store.get(), flags.name));
  const int64_t files_before = table->snapshot()->file_count();
  const auto begun = BootClock::now();
  ProgressLine line({.in_place = Millis{500}, .logged = Millis{10'000}}, begun);
  const auto show = [&](const lake::CompactionProgress& progress) {
    const auto now = BootClock::now();
    if (!line.IsDue(now)) return;
    line.Show(fmt::format("{} of {} files, {} of {} merged", FormatCount(progress.files_done),
                          FormatCount(progress.files), FormatBytes(progress.bytes_done),
                          FormatBytes(progress.bytes)),
              now);
  };
  auto result =
      lake::Compact(table.get(), {.plan = kPlan}, {.stop = ShutdownRequested, .progress = show});
  line.End();
  ARROW_RETURN_NOT_OK(result.status());
  const lake::CompactionReport report = {
      .result = *std::move(result),
      .files_before = files_before,
      .files_after = table->snapshot()->file_count(),
      .seconds = std::chrono::duration<double>(BootClock::now() - begun).count()};
  if (context.json) {
    std::cout << DumpJson(lake::ToJson(report)) << "\n";
  } else {
    PrintForPerson(report, flags.name);
  }
  return report.result.stopped ? kFailed : kDone;
}

}  // namespace

Command TableOptimizeCommand() {
  const auto flags = std::make_shared<OptimizeFlags>();
  return {.name = "optimize",
          .meaning = "Merge small files of each partition into large ones",
          .options = {TableNameOption(&flags->name),
                      {.name = "--dry-run",
                       .target = &flags->dry_run,
                       .meaning = "Only show what would be merged"}},
          .run = Running(flags, Optimize)};
}

}  // namespace shopstream::cli
