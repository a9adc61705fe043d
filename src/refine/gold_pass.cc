#include "refine/gold_pass.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/error_kind.h"
#include "base/log.h"
#include "base/probes.h"
#include "lake/delta/table_state.h"
#include "refine/closed_dates.h"
#include "refine/distinct_counts.h"
#include "refine/gold_table.h"
#include "refine/rows_of_pass.h"

namespace shopstream::refine {
namespace {

enum GoldRefusal { kNotAtThisPass = 1 };

// One pass of one Gold table.
class GoldCommit {
 public:
  GoldCommit(lake::Table* gold, GoldMerge* merge, const GoldSources& sources, SeenIndex* seen,
             const GoldInput& input, const GoldCommitOptions& options)
      : gold_(gold),
        merge_(merge),
        sources_(sources),
        seen_(seen),
        input_(input),
        standing_(GoldStanding(input.standing)),
        options_(options) {}

  Result<PassOutcome> Run() {
    while (BootClock::now() < options_.deadline) {
      ARROW_ASSIGN_OR_RAISE(const auto snapshot, gold_->Refresh());
      if (!IsBuilt(*snapshot, merge_->file())) return PassOutcome::kLost;
      ARROW_ASSIGN_OR_RAISE(const auto before, tables::ReadRefineStanding(*snapshot));
      if (*before.pass >= *standing_.pass) return PassOutcome::kDone;
      if (*before.pass != *standing_.pass - 1) return PassOutcome::kLost;
      ARROW_ASSIGN_OR_RAISE(const auto outcome, Attempt(*snapshot, before));
      if (outcome) return *outcome;
    }
    return PassOutcome::kAgain;
  }

 private:
  // Nothing: other writers replaced files in between.
  Result<std::optional<PassOutcome>> Attempt(const lake::Snapshot& snapshot,
                                             const tables::RefineStanding& before) {
    if (aggregated_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(const ClosedDates closed, ClosedDates::Of(*sources_.silver));
      ARROW_ASSIGN_OR_RAISE(const auto all, merge_->Aggregate(input_.silver, input_.rejects));
      ARROW_ASSIGN_OR_RAISE(aggregated_, closed.OpenRows(all));
    }
    DistinctCounts distinct(*merge_, sources_, before, options_.engine, seen_);
    ARROW_ASSIGN_OR_RAISE(const auto part, distinct.Count(aggregated_));
    lake::Changes changes;
    changes.operation = "REFINE";
    changes.txns = tables::RefineTxns(standing_);
    changes.growth = lake::TableGrowth{.columns = merge_->schema(), .properties = {}};
    const Status merged = MergeDates(snapshot, part, &changes);
    if (!merged.ok()) {
      Discard(gold_->store(), gold_->path(), changes.adds);
      if (KindOf(merged) == ErrorKind::kGone && WasReplaced(changes)) return std::nullopt;
      return merged;
    }
    ARROW_ASSIGN_OR_RAISE(const auto result, Publish(changes));
    if (result.outcome == lake::CommitOutcome::kCommitted) {
      ARROW_RETURN_NOT_OK(distinct.Committed(standing_));
      return PassOutcome::kDone;
    }
    if (result.outcome == lake::CommitOutcome::kUnknown) return PassOutcome::kAgain;
    Discard(gold_->store(), gold_->path(), changes.adds);
    Log::Debug("pass {} of {} is merged again: {}", *standing_.pass, gold_->path(), result.detail);
    return std::nullopt;
  }

  // Merges the touched dates, as many at a time as fit.
  Status MergeDates(const lake::Snapshot& snapshot, const std::shared_ptr<arrow::RecordBatch>& part,
                    lake::Changes* changes) {
    ARROW_ASSIGN_OR_RAISE(const auto positions, RowsByDate(*part));
    std::vector<Date> dates;
    for (const auto& [date, rows] : positions) dates.push_back(date);
    ARROW_ASSIGN_OR_RAISE(const auto files, FilesOf(snapshot, dates));
    std::vector<int32_t> rows;
    std::vector<DataFile> old;
    int64_t count = 0;
    for (auto at = positions.begin(); at != positions.end();) {
      const auto& [date, of_date] = *at;
      rows.insert(rows.end(), of_date.begin(), of_date.end());
      count += static_cast<int64_t>(of_date.size());
      for (const DataFile& file : files.at(date)) {
        count += file.rows;
        old.push_back(file);
      }
      if (++at != positions.end() && count < options_.merge_rows) continue;
      Probes::OfProcess().Beat();
      ARROW_RETURN_NOT_OK(
          MergeGroup(part, std::exchange(rows, {}), std::exchange(old, {}), changes));
      count = 0;
    }
    return Status::OK();
  }

  Status MergeGroup(const std::shared_ptr<arrow::RecordBatch>& part,
                    const std::vector<int32_t>& positions, const std::vector<DataFile>& files,
                    lake::Changes* changes) {
    changes->removes.insert(changes->removes.end(), files.begin(), files.end());
    ARROW_ASSIGN_OR_RAISE(const auto old,
                          ReadRows(gold_->store(), gold_->path(), files, merge_->stored()));
    ARROW_ASSIGN_OR_RAISE(const auto added, RowsAt(part, positions));
    ARROW_ASSIGN_OR_RAISE(const auto merged, merge_->Merge(old, added));
    if (!changes->written_since) changes->written_since = BootClock::now();
    ARROW_ASSIGN_OR_RAISE(const auto written, WriteDates(gold_->store(), gold_->path(), merged));
    changes->adds.insert(changes->adds.end(), written.begin(), written.end());
    return Status::OK();
  }

  // Whether one of the files that were read is no longer live.
  bool WasReplaced(const lake::Changes& changes) {
    for (const DataFile& file : changes.removes) {
      if (!lake::MayBeLive(gold_, file.path)) return true;
    }
    return false;
  }

  Result<lake::CommitResult> Publish(const lake::Changes& changes) {
    const auto prepare = [&](const lake::Snapshot& base) -> lake::ChangesOrRefusal {
      if (IsBuilt(base, merge_->file()) && tables::RefinePass(base) == *standing_.pass - 1) {
        return changes;
      }
      return lake::Refusal{"the table holds another pass", kNotAtThisPass};
    };
    return gold_->Commit(prepare, BootClock::now() + options_.commit_within);
  }

  lake::Table* const gold_;
  GoldMerge* const merge_;
  const GoldSources& sources_;
  SeenIndex* const seen_;
  const GoldInput& input_;
  const tables::RefineStanding standing_;
  const GoldCommitOptions& options_;
  std::shared_ptr<arrow::RecordBatch> aggregated_;
};

}  // namespace

Result<GoldInput> ReadGoldInput(const GoldSources& stored, const RefineColumns& columns,
                                const tables::RefineStanding& standing) {
  const GoldSources sources = WithColumns(stored, columns);
  GoldInput input{.standing = standing, .silver = {}, .rejects = {}};
  const int64_t pass = standing.pass.value_or(0);
  ARROW_ASSIGN_OR_RAISE(input.silver.rows,
                        RowsOfPass(sources.store, sources.silver_path, sources.silver, pass));
  ARROW_ASSIGN_OR_RAISE(input.rejects.rows,
                        RowsOfPass(sources.store, sources.rejects_path, sources.rejects, pass));
  return input;
}

Result<PassOutcome> CommitGold(lake::Table* gold, GoldMerge* merge, const GoldSources& sources,
                               SeenIndex* seen, const GoldInput& input,
                               const GoldCommitOptions& options) {
  return GoldCommit(gold, merge, sources, seen, input, options).Run();
}

}  // namespace shopstream::refine
