#include "lake/upkeep/repair.h"

#include <arrow/memory_pool.h>
#include <arrow/type.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/retry.h"
#include "lake/delta/retention.h"
#include "lake/delta/table_state.h"
#include "lake/parquet/column_statistics.h"
#include "lake/parquet/file_statistics.h"

namespace shopstream::lake {
namespace {

bool HasFloatingColumn(const Snapshot& snapshot) {
  const auto columns = ColumnsWithStatistics(*snapshot.schema());
  return std::any_of(columns.begin(), columns.end(), [](const ColumnFacts& column) {
    return arrow::is_floating(column.type->id());
  });
}

// The result for one live file.
struct Change {
  DataFile before;
  RepairNeeds needs;
  std::vector<DataFile> after;  // None: the same file with `statistics`.
  std::string statistics;
};

// Changes to be published by one commit.
struct RepairBatch {
  std::shared_ptr<arrow::Schema> schema;  // The table's, when they were made.
  BootClock::time_point begun;
  std::vector<Change> changes;
  int64_t bytes = 0;
};

Changes ChangesOfRepair(const RepairBatch& batch) {
  Changes changes;
  changes.operation = "REPAIR";
  changes.written_since = batch.begun;
  changes.data_change = false;
  for (const Change& change : batch.changes) {
    if (change.after.empty()) {
      changes.restates.push_back(change.before);
      changes.restates.back().statistics = change.statistics;
      continue;
    }
    changes.removes.push_back(change.before);
    changes.adds.insert(changes.adds.end(), change.after.begin(), change.after.end());
  }
  // As strings, which is how other writers report metrics.
  changes.info["operationMetrics"] = {{"numRestatedFiles", std::to_string(changes.restates.size())},
                                      {"numRemovedFiles", std::to_string(changes.removes.size())},
                                      {"numAddedFiles", std::to_string(changes.adds.size())}};
  return changes;
}

class Repairer {
 public:
  Repairer(Table* table, const RepairOptions& options, const RepairHooks& hooks)
      : table_(table),
        options_(options),
        hooks_(hooks),
        retry_({.patience = options.patience,
                .stop = StopToken([this] { return Stopped(); }),
                .gave_up = "gave up repairing " + table->path(),
                .on_wait = [this](const Status& why, Millis) { SayOnce(why); }}) {}

  Result<RepairResult> Run() {
    ARROW_RETURN_NOT_OK(retry_.Run([this] { return Plan(); }));
    while (!todo_.empty() && !Stopped()) {
      ARROW_RETURN_NOT_OK(retry_.Run([this] { return table_->Refresh().status(); }));
      if (Stopped()) break;
      ARROW_RETURN_NOT_OK(RunBatch());
    }
    result_.finished = !Stopped();
    ARROW_RETURN_NOT_OK(unrepairable_);
    return result_;
  }

 private:
  void SayOnce(const Status& hindrance) {
    if (std::exchange(waits_, true)) return;
    Log::Warn("repair of {} waits and retries: {}", table_->path(), hindrance.message());
  }

  // The files that need something, and those for which only their values show whether they do.
  Status Plan() {
    ARROW_ASSIGN_OR_RAISE(const auto snapshot, table_->Refresh());
    if (!options_.dry_run) {
      const Status status = CheckTimeToCommit(snapshot->properties(), options_.commit_interval);
      if (!status.ok()) return status.WithMessage("table ", table_->path(), ": ", status.message());
    }
    const bool floats = HasFloatingColumn(*snapshot);
    result_.files_seen = 0;
    todo_.clear();
    StateOf(*snapshot).ForEachAdd([&](const AddFile& add) {
      ++result_.files_seen;
      if (floats || NeedsByLog(add, *snapshot).any()) todo_.push_back(add.file.path);
    });
    progress_.files = static_cast<int64_t>(todo_.size());
    return Status::OK();
  }

  // As much of the remaining work as fits into one commit.
  Status RunBatch() {
    const auto snapshot = table_->snapshot();
    RepairBatch batch{snapshot->schema(), BootClock::now(), {}, 0};
    look_for_nan_ = HasFloatingColumn(*snapshot);
    size_t failures = 0;
    while (!todo_.empty() && !Stopped() && !IsFull(batch)) {
      const std::string path = std::move(todo_.front());
      todo_.pop_front();
      const auto live = StateOf(*snapshot).FindFiles({path})[0];
      const Status status = live ? Consider(*live, *snapshot, &batch) : Status::OK();
      if (Stopped()) break;
      if (KindOf(status) == ErrorKind::kGone && !MayBeLive(table_, path)) continue;
      if (KindOf(status) == ErrorKind::kRefused) return status;
      if (IsUnavailable(status)) {
        todo_.push_back(path);
        hindrance_ = status;
        if (++failures >= todo_.size()) break;
        continue;
      }
      if (!status.ok()) SetAside(status);
      ++progress_.files_done;
      if (hooks_.progress) hooks_.progress(progress_);
    }
    const bool useful = !batch.changes.empty() || failures == 0;
    ARROW_RETURN_NOT_OK(Publish(&batch));
    return useful ? Status::OK() : retry_.Wait(hindrance_);
  }

  bool IsFull(const RepairBatch& batch) const {
    return static_cast<int64_t>(batch.changes.size()) >= options_.commit_files ||
           batch.bytes >= options_.commit_bytes ||
           (!batch.changes.empty() && BootClock::now() - batch.begun >= options_.commit_interval);
  }

  Status Consider(const AddFile& live, const Snapshot& snapshot, RepairBatch* batch) {
    Change change{live.file, NeedsByLog(live, snapshot), {}, ""};
    if (look_for_nan_) {
      ARROW_ASSIGN_OR_RAISE(change.needs.footer,
                            FooterMisleads(table_->store(), table_->path(), live.file, snapshot));
    }
    if (!change.needs.any()) return Status::OK();
    if (options_.dry_run) {
      Report(change);
      return Status::OK();
    }
    if (batch->changes.empty()) batch->begun = BootClock::now();
    ARROW_RETURN_NOT_OK(Make(snapshot, &change));
    for (const DataFile& file : change.after) batch->bytes += file.size_bytes;
    batch->changes.push_back(std::move(change));
    return Status::OK();
  }

  Status Make(const Snapshot& snapshot, Change* change) {
    if (change->needs.partition || change->needs.footer) {
      return RewriteDataFile(
                 table_->store(), table_->path(), change->before, snapshot,
                 {&pool_, options_.memory_bytes, [this] { return Stopped(); }, options_.day_column})
          .Value(&change->after);
    }
    change->statistics = change->before.statistics;
    if (change->needs.statistics) {
      ARROW_ASSIGN_OR_RAISE(
          change->statistics,
          ComputeStatistics(table_->store(), table_->path(), change->before, *snapshot.schema()));
    }
    if (!change->needs.path) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(DataFile copy,
                          CopyDataFile(table_->store(), table_->path(), change->before));
    copy.statistics = change->statistics;
    change->after.push_back(std::move(copy));
    return Status::OK();
  }

  // A damaged file stays damaged: it is left alone, and the others continue.
  void SetAside(const Status& problem) {
    if (unrepairable_.ok()) {
      unrepairable_ = problem;  // Reported by the caller.
    } else {
      Log::Warn("repair of {}: {}", table_->path(), problem.message());
    }
  }

  // Commits the changes whose files are all still live. Uncommitted ones must be repeated.
  Status Publish(RepairBatch* batch) {
    while (!batch->changes.empty()) {
      const auto committed = table_->Commit(ForColumns(batch->schema, ChangesOfRepair(*batch)),
                                            BootClock::now() + options_.commit_deadline);
      if (!committed.ok()) {
        DoAgain(batch, /*discard=*/true);
        return committed.status();
      }
      if (committed->outcome == CommitOutcome::kCommitted) {
        ++result_.commits;
        retry_.Succeeded();
        waits_ = false;
        for (const Change& change : batch->changes) Report(change);
        batch->changes.clear();
        continue;
      }
      const bool unknown = committed->outcome == CommitOutcome::kUnknown;
      result_.conflicts += !unknown;
      // It may be committed: then what it adds is not ours to delete, and its files are not live.
      if (unknown || !DropStale(batch)) {
        DoAgain(batch, /*discard=*/!unknown);
        return retry_.Wait(Unavailable(committed->detail));
      }
    }
    return Status::OK();
  }

  // After a conflict: drops the stale changes. False: there were none, so that is not the cause.
  bool DropStale(RepairBatch* batch) {
    const auto refreshed = table_->Refresh();
    if (!refreshed.ok() || !(*refreshed)->schema()->Equals(*batch->schema)) return false;
    std::vector<std::string> paths;
    for (const Change& change : batch->changes) paths.push_back(change.before.path);
    const auto live = StateOf(**refreshed).FindFiles(paths);
    std::vector<Change> kept;
    for (size_t i = 0; i < live.size(); ++i) {
      if (live[i]) {
        kept.push_back(std::move(batch->changes[i]));
      } else {
        Discard(batch->changes[i]);
      }
    }
    const bool dropped = kept.size() < live.size();
    batch->changes = std::move(kept);
    return dropped;
  }

  void DoAgain(RepairBatch* batch, bool discard) {
    for (const Change& change : batch->changes) {
      if (discard) Discard(change);
      todo_.push_back(change.before.path);
      --progress_.files_done;
    }
    batch->changes.clear();
  }

  void Discard(const Change& change) {
    for (const DataFile& file : change.after) {
      const Status status = table_->store()->Delete(table_->path() + "/" + file.path);
      if (!status.ok()) Log::Debug("left to vacuum: {}", status.message());
    }
  }

  void Report(const Change& change) {
    result_.repaired.Add(change.needs);
    ++progress_.repaired;
    for (const DataFile& file : change.after) {
      ++result_.files_written;
      result_.bytes_written += file.size_bytes;
    }
    progress_.bytes_written = result_.bytes_written;
    if (hooks_.on_file) hooks_.on_file(change.before, change.needs);
  }

  bool Stopped() {
    if (!stopped_ && hooks_.stop) stopped_ = hooks_.stop();
    return stopped_;
  }

  Table* const table_;
  const RepairOptions options_;
  const RepairHooks& hooks_;
  arrow::ProxyMemoryPool pool_{arrow::default_memory_pool()};
  std::deque<std::string> todo_;
  RepairProgress progress_;
  RepairResult result_;
  Status unrepairable_;        // The first.
  Status hindrance_;           // The last.
  bool look_for_nan_ = false;  // The table has floating columns.
  bool waits_ = false;         // It was logged that storage does not answer.
  bool stopped_ = false;
  Retry retry_;
};

}  // namespace

void RepairCounts::Add(const RepairNeeds& needs) {
  files += needs.any();
  paths += needs.path;
  partitions += needs.partition;
  statistics += needs.statistics;
  footers += needs.footer;
}

RepairCounts CountRepairs(const Snapshot& snapshot) {
  RepairCounts counts;
  StateOf(snapshot).ForEachAdd([&](const AddFile& add) { counts.Add(NeedsByLog(add, snapshot)); });
  return counts;
}

std::string RepairAdvice(const std::string& table, const RepairCounts& counts) {
  if (counts.files == 0) return "";
  std::string text = "table " + table + ": ";
  const size_t begin = text.size();
  const auto add = [&text, begin](int64_t files, const char* what) {
    if (files == 0) return;
    text += (text.size() == begin ? "" : ", ") + Counted(files, "file") + what;
  };
  add(counts.paths, " that Spark's VACUUM would delete");
  add(counts.partitions, " in partitions that no reader accepts");
  add(counts.statistics, " whose statistics hide rows from some readers");
  return text + "; run `shopstream table repair " + table + " --apply`";
}

Result<RepairResult> Repair(Table* table, const RepairOptions& options, const RepairHooks& hooks) {
  return Repairer(table, options, hooks).Run();
}

}  // namespace shopstream::lake
