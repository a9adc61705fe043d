#include "lake/upkeep/maintenance.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/format.h"
#include "base/log.h"
#include "base/metric.h"
#include "lake/upkeep/expired_files.h"
#include "lake/upkeep/vacuum.h"

namespace shopstream::lake {
namespace {

constexpr int kNice = 10;
// A table with a partition of more small files than this has fallen behind: it is compacted at
// normal priority, because on a busy machine a low one may wait for minutes.
constexpr int64_t kBehind = 50;
constexpr Millis kReportInterval{60'000};
// Checking a table with very many files takes a while, so it gets at most 1 % of the time.
constexpr int kPauseForEachLook = 100;

// Affects only the calling thread, which is specific to Linux. It cannot be undone.
void LowerPriority() {
  const auto thread = static_cast<id_t>(::syscall(SYS_gettid));
  if (::setpriority(PRIO_PROCESS, thread, kNice) != 0) {
    Log::Debug("maintenance runs at normal priority: the system refuses a lower one");
  }
}

void AtLowPriority(const std::function<void()>& work) {
  if (Runtime::Simulated() != nullptr) return work();
  Thread thread([&] {
    LowerPriority();
    work();
  });
  thread.join();
}

}  // namespace

struct Maintenance::Counts {
  explicit Counts(const std::string& prefix)
      : commits(prefix + "_compaction_commits_total", "Commits of merged files", {"table"}),
        files(prefix + "_compacted_files_total", "Small files merged away", {"table"}),
        bytes(prefix + "_compacted_bytes_total", "Bytes of merged files written", {"table"}),
        conflicts(prefix + "_compaction_conflicts_total",
                  "Merges discarded because another process had compacted the same files",
                  {"table"}),
        failures(prefix + "_compaction_failures_total",
                 "Compactions that failed; each error is in the log", {"table"}),
        vacuumed_files(prefix + "_vacuumed_files_total", "Deleted files that no version needed",
                       {"table"}),
        vacuum_failures(prefix + "_vacuum_failures_total",
                        "Vacuums that failed; each error is in the log", {"table"}),
        small_files(prefix + "_small_files",
                    "Files below 32 MiB in the partition that has the most of them, at the last "
                    "check",
                    {"table"}) {}

  // So that a rate sees the first event of a table.
  void Begin(const std::string& table) {
    for (Counters* counters :
         {&commits, &files, &bytes, &conflicts, &failures, &vacuumed_files, &vacuum_failures}) {
      counters->With({table});
    }
  }

  Counters commits, files, bytes, conflicts, failures, vacuumed_files, vacuum_failures;
  Gauges small_files;
};

Maintenance::Maintenance(Tables tables, MaintenanceOptions options)
    : tables_(std::move(tables)),
      options_(std::move(options)),
      counts_(std::make_unique<Counts>(options_.metric_prefix)) {
  TakeNewTables();
  thread_ = Thread([this] { Run(); });
}

void Maintenance::TakeNewTables() {
  const auto vacuum_at = BootClock::now() + options_.vacuum_after_start;
  for (Table* table : tables_()) {
    const auto is_known = [&](const Ward& ward) { return ward.table == table; };
    if (std::ranges::any_of(wards_, is_known)) continue;
    counts_->Begin(table->path());
    wards_.push_back({.table = table, .unreported = {}, .vacuum_at = vacuum_at});
  }
}

Maintenance::~Maintenance() {
  stop_.Request();
  thread_.join();
}

void Maintenance::Run() {
  while (!stop_.WaitFor(options_.interval)) {
    TakeNewTables();
    for (Ward& ward : wards_) {
      if (IsDue(ward)) Compact(&ward);
      const auto now = BootClock::now();
      const bool vacuums = now >= ward.vacuum_at;
      const bool expires = options_.expire_interval && now >= ward.expire_at;
      if (stop_.requested() || !(vacuums || expires)) continue;
      AtLowPriority([&] {
        if (vacuums) Vacuum(&ward);
        if (expires && !stop_.requested()) DeleteExpired(&ward);
      });
    }
  }
}

bool Maintenance::IsDue(const Ward& ward) const {
  const auto now = BootClock::now();
  if (stop_.requested() || now < ward.not_before) return false;
  const int64_t versions = ward.table->snapshot()->version() - ward.seen_version;
  return versions >= options_.least_versions || now - ward.seen_at >= options_.longest_wait;
}

void Maintenance::Compact(Ward* ward) {
  bool urgent = false;
  AtLowPriority([&] { urgent = !Merge(ward, Urgency::kCanWait); });
  if (urgent) Merge(ward, Urgency::kUrgent);
}

bool Maintenance::Merge(Ward* ward, Urgency urgency) {
  const std::vector<std::string> label = {ward->table->path()};
  BootClock::duration look{};
  const int64_t begun_at = ward->table->snapshot()->version();
  const auto is_slow = [&] {
    const int64_t versions = ward->table->snapshot()->version() - begun_at;
    return urgency == Urgency::kCanWait && versions > options_.urgent_versions;
  };
  const auto plan = [&](std::vector<DataFile> files) {
    const auto begun = BootClock::now();
    counts_->small_files.With(label).Set(MostFilesOfAPartition(files));
    auto groups = PlanMaintenance(std::move(files), WallClockMillis(), options_.policy);
    look = BootClock::now() - begun;
    return groups;
  };
  const auto stop = [&] { return stop_.requested() || is_slow(); };
  const auto result = lake::Compact(ward->table, options_.compaction, {.plan = plan, .stop = stop});
  const auto now = BootClock::now();
  ward->seen_version = ward->table->snapshot()->version();
  ward->seen_at = now;
  ward->not_before = now + kPauseForEachLook * look;
  if (result.ok()) {
    Report(ward, *result);
    return !result->stopped || stop_.requested();
  }
  ward->not_before = now + options_.after_failure;
  counts_->failures.With(label).Add();
  Log::Warn("Compaction of {} failed; retrying in {} s while writing continues: {}",
            ward->table->path(),
            std::chrono::duration_cast<std::chrono::seconds>(options_.after_failure).count(),
            result.status().message());
  return true;
}

void Maintenance::Vacuum(Ward* ward) {
  const std::vector<std::string> label = {ward->table->path()};
  const auto result = lake::Vacuum(ward->table, {}, [this] { return stop_.requested(); });
  ward->vacuum_at = BootClock::now() + options_.vacuum_interval;
  if (!result.ok()) {
    counts_->vacuum_failures.With(label).Add();
    Log::Warn("Vacuum of {} failed; retrying in {} min while writing continues: {}",
              ward->table->path(),
              std::chrono::duration_cast<std::chrono::minutes>(options_.vacuum_interval).count(),
              result.status().message());
    return;
  }
  counts_->vacuumed_files.With(label).Add(result->files);
  if (result->files + result->uploads_given_up == 0) return;
  Log::Info("Vacuumed {}: deleted {} that no version needed, {}, and {}.", ward->table->path(),
            Counted(result->files, "file"), FormatBytes(result->bytes),
            Counted(result->uploads_given_up, "abandoned write"));
}

void Maintenance::DeleteExpired(Ward* ward) {
  const std::vector<std::string> label = {ward->table->path()};
  const auto result = lake::DeleteExpired(ward->table, ward->expired_before_ms,
                                          [this] { return stop_.requested(); });
  ward->expire_at = BootClock::now() + *options_.expire_interval;
  if (!result.ok()) {
    counts_->vacuum_failures.With(label).Add();
    Log::Warn("Removed files of {} cannot be deleted; retrying in {} while writing continues: {}",
              ward->table->path(), FormatMillis(options_.expire_interval->count()),
              result.status().message());
    return;
  }
  ward->expired_before_ms = result->before_ms;
  counts_->vacuumed_files.With(label).Add(result->files);
}

void Maintenance::Report(Ward* ward, const CompactionResult& result) {
  const std::vector<std::string> label = {ward->table->path()};
  counts_->commits.With(label).Add(result.commits);
  counts_->files.With(label).Add(result.files_removed);
  counts_->bytes.With(label).Add(result.bytes_added);
  counts_->conflicts.With(label).Add(result.conflicts);
  CompactionResult& sum = ward->unreported;
  sum.files_removed += result.files_removed;
  sum.files_added += result.files_added;
  sum.bytes_removed += result.bytes_removed;
  sum.bytes_added += result.bytes_added;
  const auto now = BootClock::now();
  if (sum.files_removed == 0 || now - ward->reported_at < kReportInterval) return;
  Log::Info("Compacted {}: {} small files became {}, {} became {}.", ward->table->path(),
            FormatCount(sum.files_removed), FormatCount(sum.files_added),
            FormatBytes(sum.bytes_removed), FormatBytes(sum.bytes_added));
  sum = {};
  ward->reported_at = now;
}

}  // namespace shopstream::lake
