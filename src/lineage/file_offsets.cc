#include "lineage/file_offsets.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "base/error_kind.h"
#include "lake/delta/table.h"
#include "lake/delta/table_history.h"
#include "lake/parquet/data_file_stream.h"
#include "tables/coordinates.h"
#include "tables/progress.h"

namespace shopstream::lineage {
namespace {

using Offsets = std::map<tables::ProgressKey, std::vector<int64_t>>;

// The path of the table, then that of the file below it.
Result<std::pair<std::string, std::string>> Split(lake::ObjectStore* store,
                                                  const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto tables, lake::FindTables(store));
  for (const std::string& table : tables) {
    if (path.starts_with(table + "/")) return std::pair(table, path.substr(table.size() + 1));
  }
  return Status::KeyError(path, " is not below a table of ", store->Describe(),
                          ": give its path from there, such as "
                          "bronze-events/region=US/date=2025-10-24/part-....parquet");
}

Status ReadOffsets(lake::ObjectStore* store, const lake::Snapshot& snapshot, const DataFile& file,
                   FileLineage* traced, Offsets* offsets, const std::function<bool()>& stop) {
  arrow::FieldVector fields;
  for (const std::string& name : tables::CoordinateColumns::Names()) {
    const auto field = snapshot.schema()->GetFieldByName(name);
    if (field == nullptr) return Status::OK();
    fields.push_back(field);
  }
  traced->has_coordinates = true;
  ARROW_ASSIGN_OR_RAISE(
      const auto reader,
      lake::DataFileReader::Open(store, traced->table, file, arrow::schema(std::move(fields)), {}));
  for (;;) {
    if (stop()) return Status::Cancelled("the look at ", file.path, " was stopped");
    ARROW_ASSIGN_OR_RAISE(const auto rows, reader->Next());
    if (rows == nullptr) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto columns, tables::CoordinateColumns::Of(*rows));
    for (int64_t row = 0; row < rows->num_rows(); ++row) {
      const auto at = columns.At(row);
      if (at) {
        (*offsets)[{std::string(at->topic_id), at->partition}].push_back(at->offset);
      } else {
        ++traced->rows_without_coordinates;
      }
    }
  }
}

FilePartition Summarize(const tables::ProgressKey& key, std::vector<int64_t> offsets,
                        size_t most_ranges) {
  std::ranges::sort(offsets);
  FilePartition part{.topic_id = key.topic_id,
                     .partition = key.partition,
                     .rows = std::ssize(offsets),
                     .span = {key.partition, offsets.front(), offsets.back() + 1}};
  OffsetRange range{key.partition, offsets.front(), offsets.front()};
  const auto close = [&] {
    part.ranges.size() < most_ranges ? part.ranges.push_back(range)
                                     : static_cast<void>(++part.ranges_left_out);
  };
  for (const int64_t offset : offsets) {
    if (offset > range.end) {
      close();
      range.begin = offset;
    }
    range.end = offset + 1;
  }
  close();
  return part;
}

}  // namespace

Result<FileLineage> TraceFile(lake::ObjectStore* store, const std::string& path, size_t most_ranges,
                              const std::function<bool()>& stop) {
  FileLineage traced;
  ARROW_ASSIGN_OR_RAISE(std::tie(traced.table, traced.path), Split(store, path));
  ARROW_ASSIGN_OR_RAISE(const auto table, lake::Table::Open(store, traced.table));
  const auto snapshot = table->snapshot();
  traced.version = snapshot->version();
  DataFile file;
  file.path = traced.path;
  file.rows = -1;
  snapshot->VisitFiles([&](const DataFile& live) {
    if (live.path != traced.path) return;
    traced.live = true;
    file = live;
    if (live.rows >= 0) traced.rows = live.rows;
  });
  snapshot->VisitRemoved([&](const std::string& removed, int64_t removed_ms) {
    if (removed == traced.path) traced.removed_ms = removed_ms;
  });
  ARROW_ASSIGN_OR_RAISE(const auto objects, store->List(path));
  if (objects.empty() || objects[0].path != path) {
    return Gone("storage does not have ", path, traced.removed_ms ? ": it was removed from" : " of",
                " the table ", traced.table, "; `shopstream table files ", traced.table,
                "` lists its files");
  }
  traced.bytes = file.size_bytes = objects[0].size_bytes;
  ARROW_ASSIGN_OR_RAISE(traced.added, FindCommitOfFile(store, traced.table, traced.path, stop));
  Offsets offsets;
  ARROW_RETURN_NOT_OK(ReadOffsets(store, *snapshot, file, &traced, &offsets, stop));
  for (auto& [key, of_partition] : offsets) {
    traced.partitions.push_back(Summarize(key, std::move(of_partition), most_ranges));
  }
  return traced;
}

}  // namespace shopstream::lineage
