#include "refine/pass_input.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include "base/error_kind.h"
#include "base/probes.h"
#include "lake/delta/table_changes.h"
#include "lake/delta/table_state.h"
#include "lake/parquet/data_file_stream.h"
#include "refine/pass_filter.h"
#include "tables/coordinates.h"

namespace shopstream::refine {
namespace {

// A file that is gone was compacted, which takes longer than a pass takes to read.
constexpr int kMostRefreshes = 10;

// Bronze may have been read before another refine made the plan.
Result<std::shared_ptr<const lake::Snapshot>> SnapshotFor(lake::Table* bronze,
                                                          const PassPlan& plan) {
  auto snapshot = bronze->snapshot();
  const auto first_beyond = [&plan](const lake::Snapshot& table) {
    const auto progress = tables::ReadProgress(table.Txns());
    return std::ranges::find_if(plan.ranges, [&progress](const auto& range) {
      const auto end = progress.find(range.first);
      return end == progress.end() || end->second < range.second.end;
    });
  };
  if (first_beyond(*snapshot) == plan.ranges.end()) return snapshot;
  ARROW_ASSIGN_OR_RAISE(snapshot, bronze->Refresh());
  const auto beyond = first_beyond(*snapshot);
  if (beyond == plan.ranges.end()) return snapshot;
  return Status::Invalid(bronze->path(), " ends before offset ", beyond->second.end,
                         " of partition ", beyond->first.partition, " of topic id ",
                         beyond->first.topic_id, ", up to which pass ", plan.pass,
                         " was decided: it was restored or replaced. ", kBronzeRestored);
}

// One pass, from one version of Bronze.
class PassReader {
 public:
  PassReader(lake::Table* bronze, std::shared_ptr<const lake::Snapshot> snapshot,
             const PassPlan& plan, const ReadLimits& limits, InputStats* stats)
      : bronze_(bronze),
        snapshot_(std::move(snapshot)),
        plan_(plan),
        limits_(limits),
        stats_(stats),
        collector_(snapshot_) {}

  // False: the rows exceed the limit. `file`: the one that the error is about.
  Result<bool> Read(DataFile* file) {
    ARROW_ASSIGN_OR_RAISE(filter_, PassFilter::Of(plan_, *snapshot_));
    outline_ = filter_.Outline(counts_others_);
    ARROW_ASSIGN_OR_RAISE(const auto files, Candidates());
    for (const DataFile& candidate : files) {
      *file = candidate;
      Probes::OfProcess().Beat();
      const Status status = ReadFile(candidate);
      stats_->bytes_read += bytes_read_.exchange(0);
      ARROW_RETURN_NOT_OK(status);
      if (collector_.bytes() > limits_.bytes) return false;
    }
    return true;
  }

  Result<PassRows> Finish() {
    ARROW_ASSIGN_OR_RAISE(PassRows rows, collector_.Take());
    rows.without_coordinates = without_coordinates_;
    return rows;
  }

 private:
  // By partition, so that a date is complete before the next.
  Result<std::vector<DataFile>> Candidates() {
    std::vector<DataFile> files;
    const auto consider = [&](const DataFile& file) {
      ++stats_->files;
      if (outline_.MayMatch(file)) files.push_back(file);
    };
    std::optional<lake::TableChanges> changes;
    if (plan_.decided_version) {
      ARROW_ASSIGN_OR_RAISE(changes, lake::ChangesSince(bronze_->store(), bronze_->path(),
                                                        *snapshot_, *plan_.decided_version));
    }
    stats_->all_files |= !changes;
    if (changes) {
      std::ranges::for_each(changes->added, consider);
    } else {
      snapshot_->VisitFiles(consider);
    }
    std::ranges::sort(files, {}, [](const DataFile& file) {
      return std::pair(file.partition_values, file.path);
    });
    return files;
  }

  Result<std::unique_ptr<lake::DataFileReader>> Open(const DataFile& file,
                                                     const std::vector<std::string>& columns,
                                                     const std::vector<int>* row_groups) {
    arrow::FieldVector fields;
    for (const std::string& column : columns) {
      const auto field = snapshot_->schema()->GetFieldByName(column);
      if (field == nullptr) return Status::Invalid(bronze_->path(), " has no column ", column);
      fields.push_back(field);
    }
    const auto schema = arrow::schema(fields);
    if (row_groups == nullptr) {
      return lake::DataFileReader::Open(bronze_->store(), bronze_->path(), file, schema, {},
                                        outline_, &bytes_read_);
    }
    return lake::DataFileReader::OpenRowGroups(bronze_->store(), bronze_->path(), file, schema, {},
                                               *row_groups, &bytes_read_);
  }

  Status ReadFile(const DataFile& file) {
    ++stats_->files_read;
    const std::vector<std::string> columns = StoredColumns(*snapshot_);
    if (file.size_bytes <= limits_.small_file_bytes) {
      ARROW_ASSIGN_OR_RAISE(const auto reader, Open(file, columns, nullptr));
      return ReadBatches(file, reader.get(), counts_others_);
    }
    ARROW_ASSIGN_OR_RAISE(const std::vector<int> row_groups, RowGroupsOfPass(file));
    if (row_groups.empty()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto reader, Open(file, columns, &row_groups));
    return ReadBatches(file, reader.get(), /*counts_others=*/false);
  }

  // The row groups that have rows of the pass, by their coordinates, which are a small part of the
  // file. Statistics of offsets alone say little about a file of several Kafka partitions.
  Result<std::vector<int>> RowGroupsOfPass(const DataFile& file) {
    ARROW_ASSIGN_OR_RAISE(const auto reader,
                          Open(file, tables::CoordinateColumns::Names(), nullptr));
    std::vector<int> found;
    auto row_group = reader->row_groups().begin();
    int64_t left = row_group == reader->row_groups().end() ? 0 : row_group->rows;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
      if (batch == nullptr) return found;
      ARROW_ASSIGN_OR_RAISE(const auto rows, RowsOfPass(file, *batch, counts_others_));
      auto row = rows.begin();
      for (int64_t begin = 0; begin < batch->num_rows();) {
        while (left == 0) left = (++row_group)->rows;
        const int64_t end = std::min(begin + left, batch->num_rows());
        const auto next = std::lower_bound(row, rows.end(), end);
        if (next != row && (found.empty() || found.back() != row_group->index)) {
          found.push_back(row_group->index);
        }
        row = next;
        left -= end - begin;
        begin = end;
      }
    }
  }

  Status ReadBatches(const DataFile& file, lake::DataFileReader* reader, bool counts_others) {
    while (collector_.bytes() <= limits_.bytes) {
      ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
      if (batch == nullptr) break;
      stats_->rows_read += batch->num_rows();
      ARROW_ASSIGN_OR_RAISE(const auto rows, RowsOfPass(file, *batch, counts_others));
      ARROW_RETURN_NOT_OK(collector_.Add(file, batch, rows));
    }
    return Status::OK();
  }

  // The rows of a batch that belong to the pass, by position.
  Result<std::vector<int32_t>> RowsOfPass(const DataFile& file, const arrow::RecordBatch& batch,
                                          bool counts_others) {
    auto rows = tables::FindRows(batch, [&](const auto& at) {
      if (!at && counts_others) ++without_coordinates_;
      return at && filter_.Takes(*at);
    });
    if (rows.ok()) return rows;
    return rows.status().WithMessage(bronze_->path(), "/", file.path, ": ",
                                     rows.status().message());
  }

  lake::Table* const bronze_;
  const std::shared_ptr<const lake::Snapshot> snapshot_;
  const PassPlan& plan_;
  const ReadLimits& limits_;
  InputStats* const stats_;
  const bool counts_others_ = plan_.reached_version.has_value();
  PassFilter filter_;
  lake::FilePredicate outline_;
  RowCollector collector_;
  std::atomic<int64_t> bytes_read_{0};
  int64_t without_coordinates_ = 0;
};

}  // namespace

Result<std::optional<PassRows>> ReadPassRows(lake::Table* bronze, const PassPlan& plan,
                                             const ReadLimits& limits, InputStats* stats) {
  ARROW_ASSIGN_OR_RAISE(auto snapshot, SnapshotFor(bronze, plan));
  for (int refreshes = 0;; ++refreshes) {
    PassReader reader(bronze, snapshot, plan, limits, stats);
    DataFile file;
    const auto fits = reader.Read(&file);
    if (fits.ok() && !*fits) return std::nullopt;
    if (fits.ok()) {
      ARROW_ASSIGN_OR_RAISE(auto rows, reader.Finish());
      return rows;
    }
    if (KindOf(fits.status()) != ErrorKind::kGone || refreshes == kMostRefreshes) {
      return fits.status();
    }
    // Its rows are in another file now, unless the table is damaged.
    ARROW_ASSIGN_OR_RAISE(snapshot, bronze->Refresh());
    if (lake::StateOf(*snapshot).FindFiles({file.path})[0]) {
      return fits.status().WithMessage(
          bronze->path(), ": ", file.path, " is missing although version ", snapshot->version(),
          " names it; `shopstream table verify ", bronze->path(), "` lists what is missing");
    }
    ++stats->refreshes;
  }
}

}  // namespace shopstream::refine
