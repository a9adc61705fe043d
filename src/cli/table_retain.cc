#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/format.h"
#include "base/json.h"
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

int ReportExpired(const std::string& name, const refine::ExpiredDates& expired, bool dry_run,
                  bool as_json) {
  if (as_json) {
    PrintReport(std::cout, {{"table", name},
                            {"dry_run", dry_run},
                            {"first_kept", FormatDate(expired.first_kept)},
                            {"dates", DatesJson(expired.dates)},
                            {"rows", expired.rows},
                            {"files", expired.files.size()},
                            {"not_refined", DatesJson(expired.not_refined)}});
  } else {
    std::cout << name << (dry_run ? " would lose " : ": removed ") << Counted(expired.rows, "row")
              << " of " << Counted(std::ssize(expired.dates), "date") << "; it keeps "
              << FormatDate(expired.first_kept) << " and later\n";
    if (!expired.not_refined.empty()) {
      std::cout << Counted(std::ssize(expired.not_refined), "older date") << " from "
                << FormatDate(*expired.not_refined.begin())
                << " on stay: their rows are not refined yet. Run `shopstream refine`, then this "
                   "again\n";
    }
  }
  return expired.not_refined.empty() ? kDone : kDifferenceFound;
}

// What Bronze loses now; nothing goes that Silver does not have yet.
Result<refine::ExpiredDates> ExpiredInBronze(lake::ObjectStore* store, lake::Table* bronze,
                                             const std::string& silver, int32_t horizon) {
  ARROW_RETURN_NOT_OK(bronze->Refresh().status());
  tables::RefineStanding refined;
  const auto table = lake::Table::Open(store, silver);
  if (!table.status().IsKeyError()) {
    ARROW_RETURN_NOT_OK(table.status());
    ARROW_ASSIGN_OR_RAISE(refined, tables::ReadRefineStanding(*(*table)->snapshot()));
  }
  return refine::FindExpired(*bronze, horizon, &refined);
}

Result<int> RetainBronze(const Context& context, lake::ObjectStore* store, lake::Table* bronze,
                         int32_t horizon, bool dry_run) {
  const std::string& silver = context.config.refine.silver_table;
  ARROW_ASSIGN_OR_RAISE(const refine::ExpiredDates expired,
                        ExpiredInBronze(store, bronze, silver, horizon));
  if (dry_run || expired.files.empty()) {
    return ReportExpired(bronze->path(), expired, dry_run, context.json);
  }
  refine::RefineMode mode;
  mode.task = tables::RefineTask{
      .kind = tables::TaskKind::kRetain, .table = bronze->path(), .horizon = horizon};
  mode.erase_quarantine = ingest::ConfiguredQuarantineErase(context.config, ShutdownRequested);
  refine::RefineStats stats;
  const auto end = refine::RunRefine(context.config, mode, &stats, ShutdownRequested, [] {});
  if (end.ok() ? end->interrupted : ShutdownRequested()) {
    std::cerr << "shopstream: interrupted; any refine removes the rest\n";
    return kInterrupted;
  }
  ARROW_RETURN_NOT_OK(end.status());
  return ReportExpired(bronze->path(), expired, dry_run, context.json);
}

Result<int> Retain(const Context& context, const RetainFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto table, lake::OpenExisting(store.get(), flags.name));
  const auto horizon = static_cast<int32_t>(WallClockMillis() / kDayMs - flags.days);
  const LakeConfig& lake = context.config.lake;
  if (flags.name == lake.bronze_table) {
    return RetainBronze(context, store.get(), table.get(), horizon, flags.dry_run);
  }
  if (flags.name != lake.quarantine_table) {
    return Status::Invalid("old dates can be removed from ", lake.bronze_table, " and ",
                           lake.quarantine_table, ", not from ", flags.name);
  }
  ARROW_ASSIGN_OR_RAISE(const refine::ExpiredDates expired,
                        refine::FindExpired(*table, horizon, nullptr));
  if (!flags.dry_run) {
    ARROW_RETURN_NOT_OK(
        refine::CommitExpired(table.get(), expired, 0, BootClock::now() + kRetainDeadline));
  }
  return ReportExpired(flags.name, expired, flags.dry_run, context.json);
}

}  // namespace

Command TableRetainCommand() {
  const auto flags = std::make_shared<RetainFlags>();
  return {.name = "retain",
          .meaning =
              "Remove whole dates that are older than a number of days from Bronze or "
              "quarantine; exits with 3 if some are not refined yet",
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
