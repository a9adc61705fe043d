#include "lake/upkeep/compaction.h"

#include <arrow/memory_pool.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <unordered_set>
#include <utility>
#include <variant>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/runtime.h"
#include "lake/delta/delta_schema.h"
#include "lake/delta/retention.h"
#include "lake/delta/table_state.h"
#include "lake/parquet/data_file_stream.h"

namespace shopstream::lake {
namespace {

using Paths = std::unordered_set<std::string>;

// Enough rows for the writer to choose a column's encoding.
constexpr int64_t kSliceRows = 1 << 16;

// One group's rows in order, gathered into batches of a useful size, whatever the file sizes.
class GroupReader {
 public:
  GroupReader(ObjectStore* store, const std::string& table_path, const CompactionGroup& group,
              std::shared_ptr<arrow::Schema> schema, const StreamMemory& memory)
      : store_(store),
        table_path_(table_path),
        group_(group),
        schema_(std::move(schema)),
        memory_(memory) {}

  // Null at the end.
  Result<std::shared_ptr<arrow::RecordBatch>> Next() {
    arrow::RecordBatchVector parts;
    int64_t rows = 0;
    int64_t bytes = 0;
    while (rows < kSliceRows && bytes < memory_.bytes / 2) {
      ARROW_ASSIGN_OR_RAISE(auto part, NextPart());
      if (part == nullptr) break;
      rows += part->num_rows();
      bytes += arrow::util::TotalBufferSize(*part);
      parts.push_back(std::move(part));
    }
    if (parts.empty()) return nullptr;
    if (parts.size() == 1) return parts[0];
    return arrow::ConcatenateRecordBatches(parts, memory_.pool);
  }
  size_t files_done() const { return file_; }
  // The file on which Next() failed.
  const DataFile& file() const { return group_.files[file_]; }

 private:
  Result<std::shared_ptr<arrow::RecordBatch>> NextPart() {
    for (; file_ < group_.files.size(); ++file_) {
      const DataFile& file = group_.files[file_];
      if (reader_ == nullptr) {
        ARROW_ASSIGN_OR_RAISE(reader_,
                              DataFileReader::Open(store_, table_path_, file, schema_, memory_));
      }
      ARROW_ASSIGN_OR_RAISE(auto rows, reader_->Next());
      if (rows != nullptr) {
        file_rows_ += rows->num_rows();
        return rows;
      }
      reader_.reset();
      if (file.rows >= 0 && file_rows_ != file.rows) {
        return Status::Invalid(table_path_, "/", file.path, " has ", Counted(file_rows_, "row"),
                               " where the log says ", file.rows,
                               ": it is not merged; see `shopstream table files`");
      }
      file_rows_ = 0;
    }
    return nullptr;
  }

  ObjectStore* const store_;
  const std::string& table_path_;
  const CompactionGroup& group_;
  const std::shared_ptr<arrow::Schema> schema_;
  const StreamMemory memory_;
  size_t file_ = 0;
  int64_t file_rows_ = 0;
  std::unique_ptr<DataFileReader> reader_;
};

struct Merge {
  CompactionGroup group;
  DataFile output;
};

// Merges to be published by one commit.
struct Batch {
  std::shared_ptr<arrow::Schema> schema;  // The table's, when they were made.
  BootClock::time_point begun;
  std::vector<Merge> merges;
  int64_t bytes = 0;
};

Changes ChangesOf(const Batch& batch) {
  Changes changes;
  changes.operation = "OPTIMIZE";
  changes.written_since = batch.begun;
  changes.data_change = false;
  // The files have the table's present columns, which need not be those of when it was opened.
  changes.growth = TableGrowth{.columns = batch.schema, .properties = {}};
  int64_t removed_bytes = 0;
  int64_t added_bytes = 0;
  for (const Merge& merge : batch.merges) {
    changes.adds.push_back(merge.output);
    added_bytes += merge.output.size_bytes;
    removed_bytes += merge.group.bytes;
    changes.removes.insert(changes.removes.end(), merge.group.files.begin(),
                           merge.group.files.end());
  }
  // As strings, which is how other writers report metrics.
  changes.info["operationParameters"] = {{"predicate", "[]"}};
  changes.info["operationMetrics"] = {{"numAddedFiles", std::to_string(changes.adds.size())},
                                      {"numRemovedFiles", std::to_string(changes.removes.size())},
                                      {"numAddedBytes", std::to_string(added_bytes)},
                                      {"numRemovedBytes", std::to_string(removed_bytes)}};
  return changes;
}

class Compactor {
 public:
  Compactor(Table* table, const CompactionOptions& options, const CompactionHooks& hooks)
      : table_(table),
        options_(options),
        hooks_(hooks),
        random_(RandomBits()),
        retry_({.patience = options.patience,
                .stop = StopToken([this] { return Stopped(); }),
                .gave_up = "gave up compacting " + table->path(),
                .on_wait = [this](const Status& why, Millis pause) {
                  Log::Debug("compaction of {} retries in {} ms: {}", table_->path(), pause.count(),
                             why.message());
                }}) {}

  Result<CompactionResult> Run() {
    const Status status = RunPasses();
    result_.peak_memory_bytes = pool_.max_memory();
    ARROW_RETURN_NOT_OK(status);
    ARROW_RETURN_NOT_OK(unmergeable_);
    return result_;
  }

 private:
  Status RunPasses() {
    while (!Stopped() && !Spent()) {
      const int64_t commits = result_.commits;
      auto planned = Plan();
      if (planned.ok()) {
        if (planned->groups.empty()) return Status::OK();
        ARROW_RETURN_NOT_OK(RunPass(*std::move(planned)));
      } else {
        ARROW_RETURN_NOT_OK(Hindered(planned.status()));
      }
      if (result_.commits > commits || std::exchange(set_aside_, false)) {
        retry_.Succeeded();
        waits_ = false;
        continue;
      }
      ARROW_RETURN_NOT_OK(retry_.Wait(hindrance_));
    }
    return Status::OK();
  }

  struct Pass {
    std::shared_ptr<const Snapshot> snapshot;
    std::vector<CompactionGroup> groups;
  };

  Result<Pass> Plan() {
    ARROW_ASSIGN_OR_RAISE(auto snapshot, table_->Refresh());
    const Status status = CheckTimeToCommit(snapshot->properties(), options_.commit_interval);
    if (!status.ok()) return status.WithMessage("table ", table_->path(), ": ", status.message());
    std::vector<DataFile> files;
    snapshot->VisitFiles([&](const DataFile& file) {
      if (file.size_bytes >= options_.plan.small_bytes) return;
      if (scope_ && !scope_->contains(file.path)) return;
      files.push_back(file);
      files.back().statistics = {};  // By far the largest part, and not needed.
    });
    if (!scope_) {
      scope_.emplace();
      for (const DataFile& file : files) scope_->insert(file.path);
    }
    auto groups = hooks_.plan ? hooks_.plan(std::move(files))
                              : PlanCompaction(std::move(files), options_.plan);
    std::shuffle(groups.begin(), groups.end(), random_);
    return Pass{std::move(snapshot), std::move(groups)};
  }

  Status RunPass(Pass pass) {
    progress_ = {};
    for (const CompactionGroup& group : pass.groups) {
      progress_.files += static_cast<int64_t>(group.files.size());
      progress_.bytes += group.bytes;
    }
    Batch batch{pass.snapshot->schema(), BootClock::now(), {}, 0};
    for (CompactionGroup& group : pass.groups) {
      if (Spent()) break;
      const int64_t bytes = group.bytes;
      bytes_read_ += bytes;
      auto output = Write(*pass.snapshot, group);
      if (output.ok()) {
        batch.bytes += bytes;
        batch.merges.push_back({std::move(group), *std::move(output)});
      } else if (Stopped()) {
        break;
      } else {
        ARROW_RETURN_NOT_OK(SetAside(output.status(), group));
      }
      if (static_cast<int64_t>(batch.merges.size()) >= options_.commit_groups ||
          batch.bytes >= options_.commit_bytes ||
          BootClock::now() - batch.begun >= options_.commit_interval) {
        ARROW_RETURN_NOT_OK(Publish(&batch));
      }
    }
    if (!Stopped()) return Publish(&batch);
    DiscardAll(&batch);
    return Status::OK();
  }

  // The merged file, which nothing refers to yet.
  Result<DataFile> Write(const Snapshot& snapshot, const CompactionGroup& group) {
    ColumnPaths unbounded;
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(auto output, TryWrite(snapshot, group, &unbounded));
      if (output) return *std::move(output);
    }
  }

  // Nothing: it must be written again, with the columns that `unbounded` has by then.
  Result<std::optional<DataFile>> TryWrite(const Snapshot& snapshot, const CompactionGroup& group,
                                           ColumnPaths* unbounded) {
    // Batches are gathered in a copy and the encoder doubles its buffers, so both take a multiple.
    const StreamMemory reading{&pool_, options_.memory_bytes / 8};
    const StreamMemory writing{&pool_, options_.memory_bytes / 4};
    GroupReader reader(table_->store(), table_->path(), group,
                       StoredSchema(*snapshot.schema(), snapshot.partition_columns()), reading);
    std::unique_ptr<DataFileWriter> writer;
    const CompactionProgress before = progress_;
    unreadable_.clear();
    const auto copy = [&]() -> Result<std::optional<DataFile>> {
      for (;;) {
        if (Stopped()) return Status::Cancelled("stopped");
        auto next = reader.Next();
        if (!next.ok()) {
          unreadable_ = reader.file().path;
          return next.status();
        }
        auto rows = *std::move(next);
        if (writer == nullptr) {
          if (rows == nullptr) {  // No rows at all; the file still has its columns.
            ARROW_ASSIGN_OR_RAISE(rows, arrow::RecordBatch::MakeEmpty(StoredSchema(
                                            *snapshot.schema(), snapshot.partition_columns())));
          }
          ARROW_ASSIGN_OR_RAISE(
              writer, DataFileWriter::Open(table_->store(), table_->path(), group.partition, *rows,
                                           *unbounded, writing));
        } else if (rows == nullptr) {
          ARROW_ASSIGN_OR_RAISE(auto merged, writer->Finish());
          *unbounded = writer->unbounded();
          // Its rows are no newer than before, so the arrival order and what counts as recent
          // survive a merge.
          if (merged) merged->modified_ms = group.files.back().modified_ms;
          return merged;
        }
        ARROW_RETURN_NOT_OK(writer->Write(*rows));
        ShowProgress(before, group, reader.files_done());
      }
    };
    auto output = copy();
    // A failed Finish may have left the file; before it there is none.
    if (!output.ok() && writer != nullptr) Discard(writer->path());
    return output;
  }

  void ShowProgress(const CompactionProgress& before, const CompactionGroup& group, size_t files) {
    progress_.files_done = before.files_done + static_cast<int64_t>(files);
    progress_.bytes_done = before.bytes_done;
    for (size_t i = 0; i < files; ++i) progress_.bytes_done += group.files[i].size_bytes;
    if (hooks_.progress) hooks_.progress(progress_);
  }

  // Storage may come back, and a missing file may have been replaced by another writer. A damaged
  // file stays damaged: it is left out, and the next pass merges the others of its partition. The
  // whole group is left out if no single file is to blame.
  Status SetAside(const Status& problem, const CompactionGroup& group) {
    if (IsUnavailable(problem)) return Hindered(problem);
    if (unreadable_.empty() && KindOf(problem) == ErrorKind::kRefused) return problem;
    if (KindOf(problem) == ErrorKind::kGone && !MayBeLive(table_, unreadable_)) {
      set_aside_ = true;  // The next plan will not include it.
      return Status::OK();
    }
    if (unmergeable_.ok()) {
      unmergeable_ = problem;  // Reported by the caller.
    } else {
      Log::Warn("compaction of {}: {}", table_->path(), problem.message());
    }
    for (const DataFile& file : group.files) {
      if (unreadable_.empty() || file.path == unreadable_) scope_->erase(file.path);
    }
    set_aside_ = true;
    return Status::OK();
  }

  // Commits the merges whose inputs are all still live, and empties the batch.
  Status Publish(Batch* batch) {
    while (!batch->merges.empty()) {
      const auto committed = table_->Commit(ForColumns(batch->schema, ChangesOf(*batch)),
                                            BootClock::now() + options_.commit_deadline);
      if (!committed.ok()) {
        DiscardAll(batch);
        return committed.status();
      }
      if (committed->outcome == CommitOutcome::kCommitted) {
        Count(*batch);
        batch->merges.clear();
      } else {
        hindrance_ = Unavailable(committed->detail);
        if (committed->outcome == CommitOutcome::kUnknown) {
          batch->merges.clear();  // It may be committed, so what it adds is not ours to delete.
        } else {
          ++result_.conflicts;
          DropStale(batch);
        }
      }
    }
    batch->bytes = 0;
    batch->begun = BootClock::now();
    return Status::OK();
  }

  // After a conflict: drops the stale merges, or all merges if staleness is not the cause.
  void DropStale(Batch* batch) {
    Paths wanted;
    for (const Merge& merge : batch->merges) {
      for (const DataFile& file : merge.group.files) wanted.insert(file.path);
    }
    Paths live;
    table_->snapshot()->VisitFiles([&](const DataFile& file) {
      if (wanted.contains(file.path)) live.insert(file.path);
    });
    if (live.size() == wanted.size()) return DiscardAll(batch);
    bool deletes = true;
    std::erase_if(batch->merges, [&](const Merge& merge) {
      const auto& files = merge.group.files;
      const bool stale = std::any_of(files.begin(), files.end(), [&](const DataFile& file) {
        return !live.contains(file.path);
      });
      if (stale && deletes) deletes = Discard(merge.output.path);
      return stale;
    });
  }

  void DiscardAll(Batch* batch) {
    for (const Merge& merge : batch->merges) {
      if (!Discard(merge.output.path)) break;
    }
    batch->merges.clear();
  }

  // False: it could not be deleted now and is left to vacuum. So are those after it: each would
  // wait as long for storage that does not answer.
  bool Discard(const std::string& path) {
    const Status status = table_->store()->Delete(table_->path() + "/" + path);
    if (!status.ok()) Log::Debug("left to vacuum: {}", status.message());
    return status.ok();
  }

  void Count(const Batch& batch) {
    ++result_.commits;
    for (const Merge& merge : batch.merges) {
      result_.files_removed += static_cast<int64_t>(merge.group.files.size());
      result_.bytes_removed += merge.group.bytes;
      ++result_.files_added;
      result_.bytes_added += merge.output.size_bytes;
      result_.rows += merge.output.rows;
      scope_->insert(merge.output.path);
    }
  }

  // Remembers why no progress was made, and logs it once. Returns an error that no retry can fix.
  Status Hindered(const Status& problem) {
    hindrance_ = problem;
    if (!IsUnavailable(problem)) return problem;
    if (!std::exchange(waits_, true)) {
      Log::Warn("compaction of {} waits and retries: {}", table_->path(), problem.message());
    }
    return Status::OK();
  }

  bool Stopped() {
    if (!result_.stopped && hooks_.stop) result_.stopped = hooks_.stop();
    return result_.stopped;
  }
  bool Spent() const { return bytes_read_ >= options_.max_bytes; }

  Table* const table_;
  const CompactionOptions options_;
  const CompactionHooks& hooks_;
  std::mt19937_64 random_;
  arrow::ProxyMemoryPool pool_{arrow::default_memory_pool()};
  std::optional<Paths> scope_;  // Live at the start, or made of such files.
  int64_t bytes_read_ = 0;
  CompactionProgress progress_;
  CompactionResult result_;
  std::string unreadable_;  // The file that the last group failed on, if it was one.
  bool set_aside_ = false;  // In this pass: the next plan differs.
  bool waits_ = false;      // It was logged that storage does not answer.
  Status unmergeable_;      // The first.
  Status hindrance_ = Unavailable("nothing could be merged");  // The last.
  Retry retry_;
};

}  // namespace

Result<CompactionResult> Compact(Table* table, const CompactionOptions& options,
                                 const CompactionHooks& hooks) {
  return Compactor(table, options, hooks).Run();
}

}  // namespace shopstream::lake
