#include "refine/pass_input.h"

#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <utility>

#include "base/error_kind.h"
#include "lake/delta/table_changes.h"
#include "lake/delta/table_state.h"
#include "lake/parquet/data_file_stream.h"
#include "lake/parquet/partition_path.h"
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
                         " was decided: it was restored or replaced");
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
        stats_(stats) {}

  // False: the rows exceed the limit. `file`: the one that the error is about.
  Result<bool> Read(DataFile* file) {
    ARROW_ASSIGN_OR_RAISE(filter_, PassFilter::Of(plan_, *snapshot_));
    outline_ = filter_.Outline(counts_others_);
    ARROW_ASSIGN_OR_RAISE(const auto files, Candidates());
    for (const DataFile& candidate : files) {
      *file = candidate;
      const Status status = ReadFile(candidate);
      stats_->bytes_read += bytes_read_.exchange(0);
      ARROW_RETURN_NOT_OK(status);
      if (bytes_ > limits_.bytes) return false;
    }
    return true;
  }

  Result<PassRows> Finish() {
    PassRows result;
    result.without_coordinates = without_coordinates_;
    result.partitions = std::move(partitions_);
    for (const Piece& piece : pieces_) {
      result.partition_of_row.insert(result.partition_of_row.end(), static_cast<size_t>(piece.rows),
                                     piece.partition);
    }
    arrow::ArrayVector columns;
    for (const auto& field : snapshot_->schema()->fields()) {
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), Joined(*field, result.partitions));
    }
    result.rows = arrow::RecordBatch::Make(snapshot_->schema(), std::ssize(result.partition_of_row),
                                           std::move(columns));
    return result;
  }

 private:
  // Rows of one file that belong to the pass.
  struct Piece {
    int32_t partition = 0;
    int64_t rows = 0;
    std::map<std::string, std::shared_ptr<arrow::Array>> columns;  // Without partition columns.
  };

  bool IsPartition(const std::string& column) const {
    return std::ranges::count(snapshot_->partition_columns(), column) > 0;
  }

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
    std::vector<std::string> columns;
    for (const auto& field : snapshot_->schema()->fields()) {
      if (!IsPartition(field->name())) columns.push_back(field->name());
    }
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
    std::optional<int32_t> partition;
    while (bytes_ <= limits_.bytes) {
      ARROW_ASSIGN_OR_RAISE(auto batch, reader->Next());
      if (batch == nullptr) break;
      stats_->rows_read += batch->num_rows();
      ARROW_ASSIGN_OR_RAISE(const auto rows, RowsOfPass(file, *batch, counts_others));
      if (rows.empty()) continue;
      ARROW_ASSIGN_OR_RAISE(batch, Taken(batch, rows));
      if (!partition) {
        ARROW_ASSIGN_OR_RAISE(partition, PartitionOf(file));
      }
      Piece piece{.partition = *partition, .rows = batch->num_rows(), .columns = {}};
      for (int i = 0; i < batch->num_columns(); ++i) {
        piece.columns.emplace(batch->column_name(i), batch->column(i));
      }
      ARROW_ASSIGN_OR_RAISE(const int64_t bytes, arrow::util::ReferencedBufferSize(*batch));
      bytes_ += bytes;
      pieces_.push_back(std::move(piece));
    }
    return Status::OK();
  }

  // The rows of a batch that belong to the pass, by position.
  Result<std::vector<int32_t>> RowsOfPass(const DataFile& file, const arrow::RecordBatch& batch,
                                          bool counts_others) {
    const auto coordinates = tables::CoordinateColumns::Of(batch);
    if (!coordinates.ok()) {
      return coordinates.status().WithMessage(bronze_->path(), "/", file.path, ": ",
                                              coordinates.status().message());
    }
    std::vector<int32_t> rows;
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      const auto at = coordinates->At(row);
      if (!at && counts_others) ++without_coordinates_;
      if (at && filter_.Takes(*at)) rows.push_back(static_cast<int32_t>(row));
    }
    return rows;
  }

  static Result<std::shared_ptr<arrow::RecordBatch>> Taken(
      const std::shared_ptr<arrow::RecordBatch>& batch, const std::vector<int32_t>& rows) {
    if (std::ssize(rows) == batch->num_rows()) return batch;
    const arrow::Int32Array positions(std::ssize(rows), arrow::Buffer::Wrap(rows));
    arrow::ArrayVector columns;
    for (const auto& column : batch->columns()) {
      ARROW_ASSIGN_OR_RAISE(
          columns.emplace_back(),
          arrow::compute::Take(*column, positions, arrow::compute::TakeOptions::NoBoundsCheck()));
    }
    return arrow::RecordBatch::Make(batch->schema(), positions.length(), std::move(columns));
  }

  // Writers may spell one value differently, and are still in the same partition.
  Result<int32_t> PartitionOf(const DataFile& file) {
    PartitionValues values;
    for (const std::string& column : snapshot_->partition_columns()) {
      const auto found = std::ranges::find(file.partition_values, column,
                                           [](const auto& value) { return value.first; });
      const auto text = found == file.partition_values.end() ? std::nullopt : found->second;
      ARROW_ASSIGN_OR_RAISE(
          const auto value,
          lake::ParsePartitionValue(text, snapshot_->schema()->GetFieldByName(column)->type()));
      ARROW_ASSIGN_OR_RAISE(const auto spelled, lake::FormatPartitionValue(*value));
      values.emplace_back(column, spelled);
    }
    const auto known = std::ranges::find(partitions_, values);
    if (known != partitions_.end()) return static_cast<int32_t>(known - partitions_.begin());
    partitions_.push_back(std::move(values));
    return static_cast<int32_t>(partitions_.size() - 1);
  }

  // A column of all pieces, which no longer have it.
  Result<std::shared_ptr<arrow::Array>> Joined(const arrow::Field& field,
                                               const std::vector<PartitionValues>& partitions) {
    if (pieces_.empty()) return arrow::MakeEmptyArray(field.type());
    arrow::ArrayVector parts;
    for (Piece& piece : pieces_) {
      if (!IsPartition(field.name())) {
        parts.push_back(std::move(piece.columns.at(field.name())));
        continue;
      }
      const auto& values = partitions[static_cast<size_t>(piece.partition)];
      const auto value =
          std::ranges::find(values, field.name(), [](const auto& each) { return each.first; });
      ARROW_ASSIGN_OR_RAISE(const auto scalar,
                            lake::ParsePartitionValue(value->second, field.type()));
      ARROW_ASSIGN_OR_RAISE(parts.emplace_back(), arrow::MakeArrayFromScalar(*scalar, piece.rows));
    }
    return arrow::Concatenate(parts);
  }

  lake::Table* const bronze_;
  const std::shared_ptr<const lake::Snapshot> snapshot_;
  const PassPlan& plan_;
  const ReadLimits& limits_;
  InputStats* const stats_;
  const bool counts_others_ = plan_.reached_version.has_value();
  PassFilter filter_;
  lake::FilePredicate outline_;
  std::vector<Piece> pieces_;
  std::vector<PartitionValues> partitions_;
  int64_t bytes_ = 0;  // In memory.
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
