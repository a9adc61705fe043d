#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "base/format.h"
#include "base/join.h"
#include "base/json.h"
#include "base/progress_line.h"
#include "base/report.h"
#include "base/shutdown.h"
#include "base/spooled_list.h"
#include "base/table_printer.h"
#include "cli/refine_commands.h"
#include "lake/store/object_store.h"
#include "model/calendar.h"
#include "refine/gold_files.h"
#include "refine/verify.h"

namespace shopstream::cli {
namespace {

// What comparing a row takes without spilling to disk, about.
constexpr int64_t kBytesPerRow = 512;

struct RefineVerifyFlags {
  std::optional<refine::DatesToRestate> dates;
};

std::string KeyText(const refine::VerifyDifference& difference) {
  std::vector<std::string> parts;
  for (const auto& [column, value] : difference.key) {
    parts.push_back(column + " " + Printable(value.value_or("NULL")));
  }
  return Joined(parts, ", ");
}

void PrintDifferences(const refine::VerifyReport& report) {
  if (report.differences.empty()) return;
  TablePrinter printer({"table", "difference", "key", "expected", "found"});
  for (const auto& difference : report.differences) {
    printer.AddRow({difference.table, difference.kind, KeyText(difference),
                    Printable(difference.expected), Printable(difference.found)});
  }
  printer.Print(std::cout, false);
  const int64_t more = report.difference_count - std::ssize(report.differences);
  if (more > 0) std::cout << "... and " << FormatCount(more) << " more; --json lists all\n";
  std::cout << "\n";
}

void PrintEarlierRules(const refine::EarlierRules& rules) {
  const std::string by = rules.fingerprint.empty()
                             ? "before the fingerprints that the rejects still record"
                             : fmt::format("under fingerprint {}, in force from pass {} on",
                                           rules.fingerprint, FormatCount(rules.first_pass));
  std::cout << Counted(rules.rows, "row") << " decided by other rules, rates or SQL, " << by
            << ": not compared.";
  if (rules.first_date) {
    std::cout << " To apply the present ones: `shopstream refine --restate "
              << FormatDate(*rules.first_date) << ".." << FormatDate(*rules.last_date) << "`";
  }
  std::cout << "\n";
}

void PrintVerifyReport(const refine::VerifyReport& report) {
  if (report.pass == 0) {
    std::cout << "No pass is complete yet: there is nothing to compare.\n";
    return;
  }
  PrintDifferences(report);
  for (const auto& rules : report.earlier_rules) PrintEarlierRules(rules);
  for (const auto& [path, why] : report.left_out) {
    std::cout << path << " is not compared: " << why << ".\n";
  }
  for (const auto& [path, date] : report.horizons) {
    std::cout << path << " keeps the dates from " << FormatDate(date)
              << " on; earlier ones are left alone.\n";
  }
  if (report.rows_without_coordinates > 0) {
    std::cout << Counted(report.rows_without_coordinates, "row")
              << " of Bronze without Kafka coordinates, which refine leaves out: not compared.\n";
  }
  std::cout << fmt::format(
      "Pass {}: {} of Bronze and {} of Gold on {} compared. {}\n", FormatCount(report.pass),
      Counted(report.rows, "row"), Counted(report.gold_rows, "row"), Counted(report.dates, "date"),
      !report.finished ? "Stopped early."
      : report.clean() ? "Equal."
                       : Counted(report.difference_count, "difference") +
                             "; `shopstream refine --restate FROM..TO` recomputes dates.");
}

Result<int> RunRefineVerify(const Context& context, const RefineVerifyFlags& flags) {
  const RefineConfig& config = context.config.refine;
  ARROW_ASSIGN_OR_RAISE(auto book, refine::ReadRuleBook(refine::RuleFiles::Of(config)));
  ARROW_ASSIGN_OR_RAISE(const auto gold, refine::LoadGoldFiles(config.sql_folder));
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  refine::VerifyOptions options{.engine = {.memory_bytes = (config.memory_limit_mb << 20) / 4 * 3,
                                           .threads = static_cast<int>(config.threads)},
                                .dates = {}};
  options.group_rows = std::min(options.group_rows, options.engine.memory_bytes / kBytesPerRow);
  if (flags.dates) options.dates = refine::DateRange{*flags.dates->from, *flags.dates->to};
  std::optional<SpooledList> differences;  // All of them.
  if (context.json) {
    ARROW_ASSIGN_OR_RAISE(differences, SpooledList::Open());
    options.most_differences = 0;
    options.on_difference = [&](const refine::VerifyDifference& difference) {
      return differences->Add(refine::ToJson(difference));
    };
  }
  ProgressLine line({.in_place = Millis{200}, .logged = Millis{10'000}}, BootClock::now());
  const auto on_progress = [&](const refine::VerifyProgress& progress) {
    const auto now = BootClock::now();
    if (!line.IsDue(now)) return;
    line.Show("refine verify: " + FormatCount(progress.dates) + " of " +
                  Counted(progress.all_dates, "date") + " compared",
              now);
  };
  const auto report =
      refine::VerifyRefined(store.get(), refine::RefinePaths::From(context.config), std::move(book),
                            gold, options, ShutdownRequested, on_progress);
  line.End();
  ARROW_RETURN_NOT_OK(report.status());
  if (differences) {
    ARROW_RETURN_NOT_OK(
        PrintReport(std::cout, refine::ToJson(*report), "differences", &*differences));
  } else {
    PrintVerifyReport(*report);
  }
  if (report->difference_count > 0) return kDifferenceFound;
  return report->finished ? kDone : kInterrupted;
}

}  // namespace

Command RefineVerifyCommand() {
  auto flags = std::make_shared<RefineVerifyFlags>();
  return {.name = "verify",
          .meaning =
              "Compare Silver, rejects and Gold with what the batch SQL makes of Bronze; "
              "exits with 3 if they differ",
          .options = {{.name = "--dates",
                       .target = Storing(ParseDates, &flags->dates),
                       .meaning = "Only these dates, e.g. 2025-10-01..2025-10-31",
                       .value = "FROM..TO [all]"}},
          .run = Running(flags, RunRefineVerify)};
}

}  // namespace shopstream::cli
