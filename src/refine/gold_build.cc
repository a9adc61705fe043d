#include "refine/gold_build.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/probes.h"
#include "refine/all_rows.h"
#include "refine/closed_dates.h"
#include "refine/date_groups.h"
#include "refine/dates.h"
#include "refine/gold_closed.h"
#include "refine/gold_merge.h"
#include "refine/gold_scan.h"
#include "refine/gold_sql.h"
#include "tables/columns.h"

namespace shopstream::refine {
namespace {

class GoldBuilder {
 public:
  GoldBuilder(const GoldFile& file, const GoldSources& sources,
              const tables::RefineStanding& standing, const GoldBuildOptions& options)
      : file_(file), sources_(sources), standing_(GoldStanding(standing)), options_(options) {}

  Result<PassOutcome> Build(const std::string& path, std::shared_ptr<arrow::Schema> schema) {
    schema_ = std::move(schema);
    ARROW_ASSIGN_OR_RAISE(table_, OpenOrCreate(path));
    if (Holds(*table_->snapshot())) return PassOutcome::kDone;
    ARROW_RETURN_NOT_OK(CheckOurs(*table_->snapshot()));
    return Run({.columns = schema_, .erase = options_.erase});
  }

  Result<PassOutcome> Restate(const std::string& path, std::shared_ptr<arrow::Schema> schema,
                              const std::set<Date>& dates) {
    schema_ = std::move(schema);
    dates_ = &dates;
    ARROW_ASSIGN_OR_RAISE(table_, lake::Table::Open(sources_.store, path));
    if (Holds(*table_->snapshot())) return PassOutcome::kDone;
    if (!HoldsPassBefore(*table_->snapshot())) return PassOutcome::kLost;
    return Run({.columns = nullptr, .erase = options_.erase});
  }

 private:
  Result<PassOutcome> Run(const ClosedGoldOptions& of_closed) {
    ARROW_ASSIGN_OR_RAISE(closed_, ClosedDates::Of(*sources_.silver));
    ARROW_ASSIGN_OR_RAISE(kept_, KeepClosedGold(*table_, file_, *closed_, of_closed));
    changes_.adds = kept_.written;
    changes_.written_since = kept_.written_since;
    const Status written = WriteFiles();
    if (!written.ok()) {
      Discard(table_->store(), table_->path(), changes_.adds);
      return written;
    }
    return Publish();
  }

  bool IsBuiltAgain(Date date) const {
    return !closed_->Contains(date) && (dates_ == nullptr || dates_->contains(date));
  }

  // Another text may have given it other columns, so that those of the file are not expected yet.
  Result<std::unique_ptr<lake::Table>> OpenOrCreate(const std::string& path) const {
    auto opened = lake::Table::Open(sources_.store, path);
    if (!opened.status().IsKeyError()) return opened;
    return lake::Table::OpenOrCreate(
        sources_.store,
        {.path = path, .schema = schema_, .partition_columns = {tables::kDate}, .properties = {}});
  }

  bool Holds(const lake::Snapshot& gold) const {
    return IsBuilt(gold, file_) && *tables::RefinePass(gold) >= *standing_.pass;
  }

  bool HoldsPassBefore(const lake::Snapshot& gold) const {
    return IsBuilt(gold, file_) && *tables::RefinePass(gold) == *standing_.pass - 1;
  }

  // Its files are about to be replaced.
  Status CheckOurs(const lake::Snapshot& gold) const {
    if (gold.file_count() == 0 || lake::FindProperty(gold, kGoldSqlProperty) != nullptr) {
      return Status::OK();
    }
    return Status::Invalid("table ", table_->path(),
                           " has rows, but refine did not make it: ", "rename ",
                           file_.aggregate.file, " or delete the table");
  }

  Status WriteFiles() {
    const auto wants = [this](Date date) { return IsBuiltAgain(date); };
    ARROW_ASSIGN_OR_RAISE(const auto groups, GroupDates({sources_.silver, sources_.rejects}, wants,
                                                        options_.group_rows));
    if (groups.empty()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto scan,
                          GoldScan::Open(sources_, *standing_.pass, options_.engine));
    ARROW_RETURN_NOT_OK(scan->session()->Run(AggregatedView(file_)));
    ARROW_ASSIGN_OR_RAISE(auto queries, scan->session()->Prepare(TableSql(file_, *schema_)));
    for (const std::vector<Date>& dates : groups) {
      scan->NarrowTo(dates);
      Probes::OfProcess().Beat();  // There may be thousands of dates.
      ARROW_ASSIGN_OR_RAISE(const auto rows, AllRows(&queries.front()));
      if (!changes_.written_since) changes_.written_since = BootClock::now();
      ARROW_ASSIGN_OR_RAISE(const auto written, WriteDates(table_->store(), table_->path(), rows));
      changes_.adds.insert(changes_.adds.end(), written.begin(), written.end());
    }
    return Status::OK();
  }

  // What an erase did to closed dates, for its receipt.
  void RecordErase() {
    if (options_.erase.empty() || kept_.files.empty()) return;
    nlohmann::json info = {{kClosedBeforeInfo, *closed_->horizon()}};
    if (kept_.erased) info[kClosedErasedInfo] = *kept_.erased;
    changes_.info = std::move(info);
  }

  Result<PassOutcome> Publish() {
    changes_.operation = "REFINE";
    RecordErase();
    changes_.txns = tables::RefineTxns(standing_);
    if (dates_ == nullptr) {
      changes_.growth = lake::TableGrowth{
          .columns = schema_, .properties = {{kGoldSqlProperty, file_.hash}}, .replaces = true};
    }
    const auto prepare = [&](const lake::Snapshot& base) -> Result<lake::ChangesOrRefusal> {
      if (Holds(base)) return lake::Refusal{"another refine has built it"};
      if (dates_ != nullptr && !HoldsPassBefore(base)) {
        return lake::Refusal{"it holds another pass", static_cast<int>(PassOutcome::kLost)};
      }
      // A restate does not touch the files of closed dates.
      if (dates_ == nullptr || !options_.erase.empty()) {
        ARROW_ASSIGN_OR_RAISE(const bool is_kept, kept_.AreLiveIn(base, *closed_));
        if (!is_kept) {
          return lake::Refusal{"its files of closed dates were rewritten meanwhile",
                               static_cast<int>(PassOutcome::kAgain)};
        }
      }
      lake::Changes changes = changes_;
      ARROW_ASSIGN_OR_RAISE(changes.removes, Replaced(base));
      return changes;
    };
    ARROW_ASSIGN_OR_RAISE(const auto result,
                          table_->Commit(prepare, BootClock::now() + options_.commit_within));
    if (result.outcome == lake::CommitOutcome::kCommitted) return PassOutcome::kDone;
    if (result.outcome == lake::CommitOutcome::kUnknown) return PassOutcome::kAgain;
    Discard(table_->store(), table_->path(), changes_.adds);
    if (result.refusal && result.refusal->code) {
      return static_cast<PassOutcome>(*result.refusal->code);
    }
    if (result.refusal) return PassOutcome::kDone;
    if (!result.too_old) return PassOutcome::kAgain;
    return Status::Invalid("building table ", table_->path(), " took too long: ", result.detail,
                           ". Set the property to a longer interval");
  }

  // The files that the new ones replace.
  Result<std::vector<DataFile>> Replaced(const lake::Snapshot& base) const {
    if (dates_ == nullptr) return base.Files();
    std::vector<Date> dates;
    std::ranges::copy_if(*dates_, std::back_inserter(dates),
                         [this](Date date) { return IsBuiltAgain(date); });
    ARROW_ASSIGN_OR_RAISE(const auto by_date, FilesOf(base, dates));
    std::vector<DataFile> files = kept_.replaced;
    for (const auto& [date, of_date] : by_date) {
      files.insert(files.end(), of_date.begin(), of_date.end());
    }
    return files;
  }

  const GoldFile& file_;
  const GoldSources& sources_;
  const tables::RefineStanding standing_;
  const GoldBuildOptions& options_;
  const std::set<Date>* dates_ = nullptr;  // Null: all.
  std::optional<ClosedDates> closed_;
  ClosedGold kept_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<lake::Table> table_;
  lake::Changes changes_;
};

}  // namespace

Result<PassOutcome> BuildGold(const std::string& path, const GoldMerge& merge,
                              const GoldSources& sources, const tables::RefineStanding& standing,
                              const GoldBuildOptions& options) {
  const GoldSources with_columns = WithColumns(sources, merge.columns());
  return GoldBuilder(merge.file(), with_columns, standing, options).Build(path, merge.schema());
}

Result<PassOutcome> RestateGold(const std::string& path, const GoldMerge& merge,
                                const GoldSources& sources, const tables::RefineStanding& standing,
                                const std::set<Date>& dates, const GoldBuildOptions& options) {
  const GoldSources with_columns = WithColumns(sources, merge.columns());
  return GoldBuilder(merge.file(), with_columns, standing, options)
      .Restate(path, merge.schema(), dates);
}

}  // namespace shopstream::refine
