#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/number.h"
#include "base/report.h"
#include "base/runtime.h"
#include "base/shutdown.h"
#include "cli/table_commands.h"
#include "ingest/quarantine_erase.h"
#include "lake/delta/existing_table.h"
#include "lake/store/object_store.h"
#include "model/calendar.h"
#include "refine/refine_loop.h"
#include "refine/refine_stats.h"
#include "refine/refine_tables.h"
#include "refine/retention.h"
#include "tables/refine_state.h"
#include "tables/refine_task.h"

namespace shopstream::cli {
namespace {

constexpr int64_t kDayMs = int64_t{24} * 3'600'000;
constexpr Millis kRetainDeadline{10'000};

struct RetainFlags {
  std::string name;
  int64_t days = 0;
  bool dry_run = false;
};

// "400d"
Result<int64_t> ParseDays(const std::string& text) {
  const std::string_view number = std::string_view(text).substr(0, text.size() - 1);
  const auto days = text.ends_with('d') ? ParseWhole<int64_t>(number) : std::nullopt;
  if (!days || *days < 1 || *days > 36'500) {
    return Status::Invalid("not a number of days such as 400d: ", text);
  }
  return *days;
}

nlohmann::ordered_json DatesJson(const std::set<int32_t>& dates) {
  auto out = nlohmann::ordered_json::array();
  for (const int32_t date : dates) out.push_back(FormatDate(date));
  return out;
}

// Why some dates stay, and what would let them go.
void PrintKept(const Context& context, const refine::ExpiredDates& expired) {
  const auto print = [](const std::set<int32_t>& dates, const std::string& why) {
    if (dates.empty()) return;
    std::cout << Counted(std::ssize(dates), "older date") << " from " << FormatDate(*dates.begin())
              << " on stay: " << why << "\n";
  };
  print(expired.not_refined,
        "their rows are not refined yet. Run `shopstream refine`, then this again");
  const std::string& silver = context.config.refine.silver_table;
  print(expired.in_silver, silver +
                               " keeps them, and Gold is made from both. Run `shopstream "
                               "table retain " +
                               silver + " ...` first");
}

int ReportExpired(const std::string& name, const refine::ExpiredDates& expired, bool dry_run,
                  const Context& context) {
  if (context.json) {
    PrintReport(std::cout, {{"table", name},
                            {"dry_run", dry_run},
                            {"first_kept", FormatDate(expired.first_kept)},
                            {"dates", DatesJson(expired.dates)},
                            {"rows", expired.rows},
                            {"files", expired.files.size()},
                            {"not_refined", DatesJson(expired.not_refined)},
                            {"in_silver", DatesJson(expired.in_silver)}});
  } else {
    std::cout << name << (dry_run ? " would lose " : ": removed ") << Counted(expired.rows, "row")
              << " of " << Counted(std::ssize(expired.dates), "date") << "; it keeps "
              << FormatDate(expired.first_kept) << " and later\n";
    PrintKept(context, expired);
  }
  return expired.not_refined.empty() && expired.in_silver.empty() ? kDone : kDifferenceFound;
}

// The newest version of a table that refine fills. Null: there is none yet.
Result<std::shared_ptr<const lake::Snapshot>> NewestOf(lake::ObjectStore* store,
                                                       const std::string& path) {
  const auto table = lake::Table::Open(store, path);
  if (table.status().IsKeyError()) return nullptr;
  ARROW_RETURN_NOT_OK(table.status());
  return (*table)->snapshot();
}

// What Silver would lose now: nothing while older rows of Bronze wait for a pass, which would
// reject them as rows of a closed date.
Result<refine::ExpiredDates> ExpiredInSilver(lake::ObjectStore* store, const lake::Table& silver,
                                             const std::string& bronze_path, int32_t horizon) {
  const auto bronze = lake::Table::Open(store, bronze_path);
  if (!bronze.ok() && !bronze.status().IsKeyError()) return bronze.status();
  if (bronze.ok()) {
    ARROW_ASSIGN_OR_RAISE(const auto refined, tables::ReadRefineStanding(*silver.snapshot()));
    ARROW_ASSIGN_OR_RAISE(auto waiting, refine::FindExpired(**bronze, horizon, &refined));
    if (!waiting.not_refined.empty()) {
      refine::ExpiredDates kept;
      kept.first_kept = waiting.first_kept;
      kept.not_refined = std::move(waiting.not_refined);
      return kept;
    }
  }
  return refine::FindExpiredRefined(*silver.snapshot(), horizon, nullptr);
}

// What the table would lose now. Bronze loses nothing that Silver does not have yet.
Result<refine::ExpiredDates> ExpiredNow(const Context& context, lake::ObjectStore* store,
                                        const lake::Table& table, int32_t horizon) {
  const std::string& silver_path = context.config.refine.silver_table;
  if (table.path() == silver_path) {
    return ExpiredInSilver(store, table, context.config.lake.bronze_table, horizon);
  }
  if (table.path() == context.config.lake.quarantine_table) {
    return refine::FindExpired(table, horizon, nullptr);
  }
  ARROW_ASSIGN_OR_RAISE(const auto silver, NewestOf(store, silver_path));
  if (table.path() == context.config.lake.bronze_table) {
    tables::RefineStanding refined;
    if (silver != nullptr) {
      ARROW_ASSIGN_OR_RAISE(refined, tables::ReadRefineStanding(*silver));
    }
    return refine::FindExpired(table, horizon, &refined);
  }
  if (silver == nullptr) return Status::Invalid("there is no table ", silver_path);
  return refine::FindExpiredRefined(*table.snapshot(), horizon, silver.get());
}

// The task that an earlier run has reserved and not finished.
Result<std::optional<tables::RefineTask>> OpenTask(const Context& context,
                                                   lake::ObjectStore* store) {
  ARROW_ASSIGN_OR_RAISE(const auto rejects, NewestOf(store, context.config.refine.rejects_table));
  if (rejects == nullptr) return std::nullopt;
  return tables::ReadRefineTask(*rejects);
}

// Whether a task would change anything: it also closes dates of which no row is there, and finishes
// the one that is open.
Result<bool> HasWork(const Context& context, lake::ObjectStore* store, const lake::Table& table,
                     const refine::ExpiredDates& expired) {
  if (!expired.files.empty()) return true;
  const bool is_silver = table.path() == context.config.refine.silver_table;
  if (is_silver && !expired.not_refined.empty()) return false;
  ARROW_ASSIGN_OR_RAISE(const auto open, OpenTask(context, store));
  if (open) return true;
  if (!is_silver) return false;
  ARROW_ASSIGN_OR_RAISE(const auto known, tables::ReadHorizon(*table.snapshot()));
  return known != expired.first_kept;
}

// By a task of refine. False: it was interrupted.
Result<bool> RunRetain(const Context& context, const std::string& table, int32_t horizon) {
  refine::RefineMode mode;
  mode.task =
      tables::RefineTask{.kind = tables::TaskKind::kRetain, .table = table, .horizon = horizon};
  mode.erase_quarantine = ingest::ConfiguredQuarantineErase(context.config);
  refine::RefineStats stats;
  const auto end = refine::RunRefine(context.config, mode, &stats, ShutdownRequested, [] {});
  if (end.ok() ? end->interrupted : ShutdownRequested()) return false;
  ARROW_RETURN_NOT_OK(end.status());
  return true;
}

Result<int> ReportInterrupted(const Context& context, lake::ObjectStore* store) {
  ARROW_ASSIGN_OR_RAISE(const auto open, OpenTask(context, store));
  Log::Tell(LogLevel::kError, open
                                  ? "interrupted; the same command, or any refine, removes the rest"
                                  : "interrupted; no task is open. Run the command again");
  return kInterrupted;
}

Result<int> Retain(const Context& context, const RetainFlags& flags) {
  const LakeConfig& lake = context.config.lake;
  const RefineConfig& refined = context.config.refine;
  const std::set<std::string> by_task = {lake.bronze_table, refined.silver_table,
                                         refined.rejects_table};
  if (!by_task.contains(flags.name) && flags.name != lake.quarantine_table) {
    return Status::Invalid("old dates can be removed from ", lake.bronze_table, ", ",
                           lake.quarantine_table, ", ", refined.silver_table, " and ",
                           refined.rejects_table, ", not from ", flags.name);
  }
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto table, lake::OpenExisting(store.get(), flags.name));
  const auto horizon = static_cast<int32_t>(WallClockMillis() / kDayMs - flags.days);
  ARROW_ASSIGN_OR_RAISE(const refine::ExpiredDates expired,
                        ExpiredNow(context, store.get(), *table, horizon));
  if (flags.dry_run) return ReportExpired(flags.name, expired, true, context);
  if (by_task.contains(flags.name)) {
    ARROW_ASSIGN_OR_RAISE(const bool has_work, HasWork(context, store.get(), *table, expired));
    const Result<bool> done = has_work ? RunRetain(context, flags.name, horizon) : true;
    ARROW_RETURN_NOT_OK(done.status());
    if (!*done) return ReportInterrupted(context, store.get());
  } else {
    ARROW_RETURN_NOT_OK(
        refine::CommitExpired(table.get(), expired, 0, BootClock::now() + kRetainDeadline));
  }
  return ReportExpired(flags.name, expired, false, context);
}

}  // namespace

Command TableRetainCommand() {
  const auto flags = std::make_shared<RetainFlags>();
  return {.name = "retain",
          .meaning =
              "Remove whole dates that are older than a number of days from Bronze, "
              "quarantine, Silver or the rejects; exits with 3 if some have to stay",
          .options = {TableNameOption(&flags->name),
                      {.name = "DAYS",
                       .target = Storing(ParseDays, &flags->days),
                       .meaning = "How long dates are kept, e.g. 400d",
                       .required = true},
                      {.name = "--dry-run",
                       .target = &flags->dry_run,
                       .meaning = "Only show what would be removed"}},
          .run = Running(flags, Retain)};
}

}  // namespace shopstream::cli
