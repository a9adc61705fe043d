#pragma once

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "lake/store/object_store.h"
#include "model/data_file.h"

namespace shopstream::tables {

// Where in Kafka a row came from. `topic_id` is borrowed from the batch.
struct Coordinates {
  std::string_view topic_id;
  int32_t partition = 0;
  int64_t offset = 0;
  std::optional<int64_t> timestamp_us;  // Kafka's; nothing: none, unknown, or no such column.
};

// The coordinates of one batch.
class CoordinateColumns {
 public:
  // The columns that every table of ours has.
  static std::vector<std::string> Names();
  // Invalid: a column is missing or has another type.
  static Result<CoordinateColumns> Of(const arrow::RecordBatch& rows);

  // Nothing: a coordinate is null or negative, so the row was not written by ingest.
  std::optional<Coordinates> At(int64_t row) const;
  // One of them; nothing: null.
  std::optional<std::string_view> TopicIdAt(int64_t row) const;
  std::optional<int32_t> PartitionAt(int64_t row) const;
  std::optional<int64_t> OffsetAt(int64_t row) const;

 private:
  CoordinateColumns() = default;

  std::shared_ptr<arrow::StringArray> topic_ids_;
  std::shared_ptr<arrow::Int32Array> partitions_;
  std::shared_ptr<arrow::Int64Array> offsets_;
  std::shared_ptr<arrow::TimestampArray> timestamps_;  // Null: there is no such column.
};

// The positions of the rows that are wanted, ascending. `wants`: of what At returns for a row.
template <typename Wants>
Result<std::vector<int32_t>> FindRows(const arrow::RecordBatch& rows, const Wants& wants) {
  ARROW_ASSIGN_OR_RAISE(const CoordinateColumns coordinates, CoordinateColumns::Of(rows));
  std::vector<int32_t> found;
  for (int64_t row = 0; row < rows.num_rows(); ++row) {
    if (wants(coordinates.At(row))) found.push_back(static_cast<int32_t>(row));
  }
  return found;
}

// False: skip the remaining rows.
using OnCoordinates = std::function<bool(const std::optional<Coordinates>&)>;

// Calls `on_row` for each row of a data file, in the file's order. Errors name the file.
Status VisitCoordinates(lake::ObjectStore* store, const std::string& table_path,
                        const DataFile& file, const std::shared_ptr<arrow::Schema>& schema,
                        const OnCoordinates& on_row);

}  // namespace shopstream::tables
