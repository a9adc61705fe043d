#include "console/quality_look.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/error_kind.h"
#include "lake/delta/table_at.h"
#include "model/calendar.h"
#include "refine/fingerprint.h"
#include "refine/fingerprint_uses.h"
#include "tables/complete_pass.h"
#include "tables/refine_state.h"
#include "tables/refine_task.h"

namespace shopstream::console {
namespace {

constexpr Millis kReadingTime{500};
constexpr char kQualityDaily[] = "/quality_daily";  // In refine.gold_folder.

constexpr char kBacklog[] =
    "refine is working through a backlog: until it has caught up, rows that it has not reached "
    "cannot be told from lost ones; `shopstream refine verify` compares every row";

std::string RejectDate(const DataFile& file) {
  for (const auto& [column, value] : file.partition_values) {
    if (column == "date") return value.value_or("");
  }
  return "";
}

int64_t RowsInAll(const RowsByDate& rows) {
  int64_t sum = 0;
  for (const auto& [date, count] : rows) sum += count.value_or(0);
  return sum;
}

}  // namespace

QualityLook::QualityLook(const Config& config, std::shared_ptr<lake::ObjectStore> store)
    : config_(config),
      store_(std::move(store)),
      bronze_(store_, config_.lake.bronze_table),
      silver_(store_, config_.refine.silver_table),
      rejects_(store_, config_.refine.rejects_table),
      gold_(store_, config_.refine.gold_folder + kQualityDaily),
      rule_source_(refine::FromFiles(refine::RuleFiles::Of(config_.refine))),
      rules_(Unavailable("the rules are not read yet")) {}

Result<QualityReport> QualityLook::Look() {
  ARROW_ASSIGN_OR_RAISE(Newest newest, ReadNewest());
  const bool same = newest.bronze == looked_at_.bronze && newest.silver == looked_at_.silver &&
                    newest.rejects == looked_at_.rejects && newest.gold == looked_at_.gold;
  if (!same || !counted_all_) {
    QualityReport report;
    report.has_bronze = newest.bronze != nullptr;
    report.is_refined = newest.silver != nullptr && newest.rejects != nullptr;
    if (report.has_bronze) ARROW_RETURN_NOT_OK(ReadPass(newest, &report));
    counted_all_ = report.counted_files == report.rejects_files;
    report_ = std::move(report);
    looked_at_ = newest;
  }
  ReadRules(newest.rejects.get(), &report_);
  return report_;
}

// Rejects first, because a pass commits to them first: then none of the others is ahead of them.
Result<QualityLook::Newest> QualityLook::ReadNewest() {
  Newest newest;
  ARROW_ASSIGN_OR_RAISE(newest.rejects, rejects_.Read());
  ARROW_ASSIGN_OR_RAISE(newest.silver, silver_.Read());
  ARROW_ASSIGN_OR_RAISE(newest.gold, gold_.Read());
  ARROW_ASSIGN_OR_RAISE(newest.bronze, bronze_.Read());
  return newest;
}

Status QualityLook::ReadPass(const Newest& newest, QualityReport* report) {
  if (foreign_.size() > 2 * static_cast<size_t>(newest.bronze->file_count()) + 1000) {
    foreign_.clear();
  }
  BalanceInput input;
  const auto foreign_of = [this](const DataFile& file) { return ForeignOf(file); };
  input.bronze = CountBronze(*newest.bronze, foreign_of);
  input.decided_unknown = kBacklog;
  report->versions[bronze_.path()] = newest.bronze->version();
  if (report->is_refined) {
    tables::RefinedPaths paths{.silver = silver_.path(), .rejects = rejects_.path(), .gold = {}};
    if (newest.gold != nullptr) paths.gold = {gold_.path()};
    ARROW_ASSIGN_OR_RAISE(
        const tables::CompletePass complete,
        tables::ReadCompletePass(
            store_.get(), paths,
            [&](const std::string& path) -> Result<std::shared_ptr<const lake::Snapshot>> {
              if (path == rejects_.path()) return newest.rejects;
              return path == silver_.path() ? newest.silver : newest.gold;
            }));
    const lake::Snapshot& silver = *complete.tables.at(silver_.path());
    const lake::Snapshot& rejects = *complete.tables.at(rejects_.path());
    report->pass = complete.pass;
    report->complete_through_ms = complete.complete_through_ms;
    for (const auto& [path, table] : complete.tables) report->versions[path] = table->version();
    ARROW_ASSIGN_OR_RAISE(const auto standing, tables::ReadRefineStanding(silver));
    input.after_task = complete.pass > 0 && standing.task == complete.pass;
    const auto& seen = standing.bronze_seen;
    if (seen && standing.bronze_version == seen->version) {
      ARROW_ASSIGN_OR_RAISE(input.decided,
                            DecidedRows(*newest.bronze, seen->version, &input.decided_unknown));
      if (input.decided) report->decided_version = seen->version;
    }
    input.silver = CountRows(silver);
    input.rejects = CountRows(rejects);
    report->refined_rows = RowsInAll(input.silver) + RowsInAll(input.rejects);
    ARROW_RETURN_NOT_OK(CountReasons(rejects, report));
    if (report->counted_files == report->rejects_files) input.reasons = report->reasons;
  }
  for (const lake::Snapshot* table :
       {newest.bronze.get(), newest.silver.get(), newest.rejects.get()}) {
    if (table == nullptr) continue;
    ARROW_ASSIGN_OR_RAISE(const auto horizon, tables::ReadHorizon(*table));
    if (horizon) input.horizon = std::max(input.horizon, FormatDate(*horizon));
  }
  report->days = Balance(input);
  return Status::OK();
}

Result<std::optional<BronzeRows>> QualityLook::DecidedRows(const lake::Snapshot& bronze,
                                                           int64_t version, std::string* unknown) {
  const auto foreign_of = [this](const DataFile& file) { return ForeignOf(file); };
  if (bronze.version() == version) return CountBronze(bronze, foreign_of);
  const auto decided = lake::SnapshotAt(store_.get(), bronze_.path(), version);
  if (IsUnavailable(decided.status())) return decided.status();
  if (decided.ok()) return CountBronze(**decided, foreign_of);
  *unknown = "version " + std::to_string(version) + " of " + bronze_.path() +
             ", up to which everything is refined, cannot be read: " + decided.status().message();
  return std::nullopt;
}

std::optional<int64_t> QualityLook::ForeignOf(const DataFile& file) {
  const auto known = foreign_.find(file.path);
  if (known != foreign_.end()) return known->second;
  return foreign_[file.path] = ForeignRows(file);
}

Status QualityLook::CountReasons(const lake::Snapshot& rejects, QualityReport* report) {
  const BootClock::time_point begun = BootClock::now();
  std::unordered_map<std::string, RowsByReasons> live;
  for (const DataFile& file : rejects.Files()) {
    ++report->rejects_files;
    auto known = reasons_of_.extract(file.path);
    if (known.empty()) {
      if (BootClock::now() - begun > kReadingTime) continue;
      ARROW_ASSIGN_OR_RAISE(live[file.path], console::CountReasons(store_.get(), rejects_.path(),
                                                                   file, rejects.schema()));
    } else {
      live[file.path] = std::move(known.mapped());
    }
    ++report->counted_files;
    auto& of_date = report->reasons[RejectDate(file)];
    for (const auto& [reason, rows] : BySingleReason(live[file.path])) {
      of_date[reason] += rows;
    }
  }
  reasons_of_ = std::move(live);
  return Status::OK();
}

void QualityLook::ReadRules(const lake::Snapshot* rejects, QualityReport* report) {
  std::string stamp = rule_source_.stamp();
  if (stamp != rules_stamp_) {
    rules_ = rule_source_.read();
    rules_stamp_ = std::move(stamp);
  }
  report->rules = rules_.ok() ? *rules_ : nullptr;
  report->rules_unknown = rules_.ok() ? "" : rules_.status().message();
  report->rules_of_pass.clear();
  report->rules_since.reset();
  if (rejects == nullptr) return;
  const auto uses = refine::ReadFingerprintUses(*rejects);
  if (!uses.ok() || uses->empty()) return;
  report->rules_of_pass = uses->back().fingerprint;
  report->rules_since = uses->back().first_pass;
  report->other_rules =
      rules_.ok() && refine::ShortHash((*rules_)->fingerprint) != report->rules_of_pass;
}

}  // namespace shopstream::console
