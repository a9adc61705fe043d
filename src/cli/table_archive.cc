#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "backup/archive.h"
#include "base/clock.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/report.h"
#include "base/runtime.h"
#include "base/shutdown.h"
#include "cli/copy_line.h"
#include "cli/place.h"
#include "cli/table_commands.h"
#include "ingest/quarantine_erase.h"
#include "lake/delta/existing_table.h"
#include "lake/store/object_store.h"
#include "model/calendar.h"
#include "refine/archived_rows.h"
#include "refine/refine_loop.h"
#include "refine/refine_stats.h"
#include "refine/retention.h"
#include "tables/refine_state.h"
#include "tables/refine_task.h"

namespace shopstream::cli {
namespace {

constexpr Millis kReleaseDeadline{10'000};

struct ArchiveFlags {
  std::string name;
  int32_t before = 0;  // Days since 1970.
  std::string place;
  bool after_restore = false;
  bool dry_run = false;
};

Result<int32_t> ParseBefore(const std::string& text) {
  const auto date = ParseDate(text);
  if (!date) return Status::Invalid("not a date such as 2025-10-24: ", text);
  return *date;
}

// How far Silver is; without Silver, nothing of Bronze is refined.
Result<tables::RefineStanding> StandingOfSilver(lake::ObjectStore* store, const std::string& path) {
  const auto silver = lake::Table::Open(store, path);
  if (silver.status().IsKeyError()) return tables::RefineStanding();
  ARROW_RETURN_NOT_OK(silver.status());
  return tables::ReadRefineStanding(*(*silver)->snapshot());
}

// One command, with the dates that it moves.
class ArchiveJob {
 public:
  ArchiveJob(const Context& context, const ArchiveFlags& flags, lake::ObjectStore* store,
             lake::Table* table)
      : context_(context), flags_(flags), store_(store), table_(table) {}

  Status Find() {
    const bool is_bronze = table_->path() == context_.config.lake.bronze_table;
    tables::RefineStanding refined;
    if (is_bronze) {
      ARROW_ASSIGN_OR_RAISE(refined, StandingOfSilver(store_, context_.config.refine.silver_table));
    }
    ARROW_ASSIGN_OR_RAISE(
        expired_, refine::FindExpired(*table_, flags_.before, is_bronze ? &refined : nullptr));
    return Status::OK();
  }

  Result<backup::ArchiveResult> Run(lake::ObjectStore* place) {
    backup::ArchiveOptions options = Options();
    options.threads = CopyThreads(*store_, *place);
    options.stop = ShutdownRequested;
    CopyLine line("table archive");
    options.on_progress = [&line](const backup::CopyProgress& progress) { line.Show(progress); };
    backup::ArchiveHooks hooks;
    hooks.find = [this](const lake::Table&) -> Result<std::vector<DataFile>> {
      ARROW_RETURN_NOT_OK(Find());
      return expired_.files;
    };
    hooks.count_missing = [this, place](const lake::Snapshot& archive,
                                        const std::vector<DataFile>& files) -> Result<int64_t> {
      ARROW_RETURN_NOT_OK(table_->Refresh().status());
      return refine::CountMissingRows(*table_, place, archive, files);
    };
    hooks.release = [this](int64_t run, const std::string& digest) {
      return table_->path() == context_.config.lake.bronze_table ? ReleaseByTask(run, digest)
                                                                 : Release(run, digest);
    };
    return backup::Archive(table_, place, options, hooks);
  }

  // What Run checks without the place.
  Status Check() const {
    return backup::CheckMayArchive(*table_->snapshot(), table_->path(), Options());
  }

  const refine::ExpiredDates& expired() const { return expired_; }

 private:
  backup::ArchiveOptions Options() const {
    backup::ArchiveOptions options;
    options.place = CanonicalPlace(flags_.place);
    options.after_restore = flags_.after_restore;
    return options;
  }

  // No pass reads these rows of Bronze meanwhile.
  Status ReleaseByTask(int64_t run, const std::string& digest) {
    refine::RefineMode mode;
    mode.task = tables::RefineTask{.kind = tables::TaskKind::kArchive,
                                   .table = table_->path(),
                                   .horizon = expired_.first_kept,
                                   .archive_run = run,
                                   .files_digest = digest};
    mode.erase_quarantine = ingest::ConfiguredQuarantineErase(context_.config);
    refine::RefineStats stats;
    const auto end = refine::RunRefine(context_.config, mode, &stats, ShutdownRequested, [] {});
    ARROW_RETURN_NOT_OK(end.status());
    return end->interrupted ? Status::Cancelled("stopped") : Status::OK();
  }

  Status Release(int64_t run, const std::string& digest) {
    ARROW_RETURN_NOT_OK(table_->Refresh().status());
    ARROW_ASSIGN_OR_RAISE(const auto now, refine::FindExpired(*table_, flags_.before, nullptr));
    return refine::ReleaseArchived(table_, now, {.run = run, .digest = digest}, 0,
                                   BootClock::now() + kReleaseDeadline)
        .status();
  }

  const Context& context_;
  const ArchiveFlags& flags_;
  lake::ObjectStore* const store_;
  lake::Table* const table_;
  refine::ExpiredDates expired_;
};

nlohmann::ordered_json ArchivedDatesJson(const std::set<int32_t>& dates) {
  auto out = nlohmann::ordered_json::array();
  for (const int32_t date : dates) out.push_back(FormatDate(date));
  return out;
}

int ReportArchived(const Context& context, const ArchiveFlags& flags,
                   const refine::ExpiredDates& expired, const backup::ArchiveResult& result) {
  const std::string place = CanonicalPlace(flags.place);
  int64_t bytes = 0;
  for (const DataFile& file : expired.files) bytes += file.size_bytes;
  if (context.json) {
    PrintReport(std::cout, {{"table", flags.name},
                            {"archive", place},
                            {"dry_run", flags.dry_run},
                            {"run", result.run},
                            {"first_kept", FormatDate(expired.first_kept)},
                            {"dates", ArchivedDatesJson(expired.dates)},
                            {"rows", expired.rows},
                            {"files", expired.files.size()},
                            {"bytes", bytes},
                            {"copied_files", result.copied_files},
                            {"copied_bytes", result.copied_bytes},
                            {"not_refined", ArchivedDatesJson(expired.not_refined)}});
  } else {
    std::cout << flags.name << (flags.dry_run ? ": would move " : ": moved ")
              << Counted(expired.rows, "row") << " of "
              << Counted(std::ssize(expired.dates), "date") << " ("
              << Counted(std::ssize(expired.files), "file") << ", " << FormatBytes(bytes) << ") to "
              << Printable(place) << "; it keeps " << FormatDate(expired.first_kept)
              << " and later\n";
    if (!expired.not_refined.empty()) {
      std::cout << Counted(std::ssize(expired.not_refined), "older date") << " from "
                << FormatDate(*expired.not_refined.begin())
                << " on stay: their rows are not refined yet. Run `shopstream refine`, then this "
                   "again\n";
    }
  }
  return expired.not_refined.empty() ? kDone : kDifferenceFound;
}

Result<int> ArchiveTable(const Context& context, const ArchiveFlags& flags) {
  const LakeConfig& lake = context.config.lake;
  if (flags.name != lake.bronze_table && flags.name != lake.quarantine_table) {
    return Status::Invalid("rows can be moved from ", lake.bronze_table, " and ",
                           lake.quarantine_table, ", not from ", flags.name);
  }
  if (int64_t{flags.before} * kMillisPerDay > WallClockMillis()) {
    return Status::Invalid("--before ", FormatDate(flags.before), " is in the future");
  }
  ARROW_RETURN_NOT_OK(CheckApart(lake.uri, flags.place, "the archive"));
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto table, lake::OpenExisting(store.get(), flags.name));
  ArchiveJob job(context, flags, store.get(), table.get());
  ARROW_RETURN_NOT_OK(job.Check());
  if (flags.dry_run) {
    ARROW_RETURN_NOT_OK(job.Find());
    return ReportArchived(context, flags, job.expired(), {});
  }
  ARROW_ASSIGN_OR_RAISE(const auto place, OpenPlace(context, flags.place, "the archive"));
  const auto result = job.Run(place.get());
  if (!result.ok() && ShutdownRequested()) {
    Log::Tell(LogLevel::kError, "interrupted; run the same command again");
    return kInterrupted;
  }
  ARROW_RETURN_NOT_OK(result.status());
  return ReportArchived(context, flags, job.expired(), *result);
}

}  // namespace

Command TableArchiveCommand() {
  const auto flags = std::make_shared<ArchiveFlags>();
  return {
      .name = "archive",
      .meaning =
          "Move whole dates of Bronze or quarantine to a table in another place, which `query` "
          "reads with them; exits with 3 if some have to stay",
      .options = {TableNameOption(&flags->name),
                  {.name = "--before",
                   .target = Storing(ParseBefore, &flags->before),
                   .meaning = "The first date that stays, e.g. 2025-10-24",
                   .value = "DATE",
                   .required = true},
                  {.name = "--to",
                   .target = &flags->place,
                   .meaning = "Where the archive is: a path, file:///... or s3://bucket/prefix",
                   .value = "PLACE",
                   .required = true},
                  {.name = "--after-restore",
                   .target = &flags->after_restore,
                   .meaning =
                       "The table was restored from a backup: remove from the archive the rows of "
                       "later runs, all of which the table has to have again"},
                  {.name = "--dry-run",
                   .target = &flags->dry_run,
                   .meaning = "Only show what would be moved"}},
      .run = Running(flags, ArchiveTable)};
}

}  // namespace shopstream::cli
