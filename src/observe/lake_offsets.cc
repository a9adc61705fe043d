#include "observe/lake_offsets.h"

#include <arrow/array.h>
#include <arrow/table.h>

#include <memory>
#include <string>

#include "lake/parquet_file.h"

namespace shopstream::observe {
namespace {

template <typename Array>
Result<std::shared_ptr<Array>> Column(const arrow::RecordBatch& rows, const char* name,
                                      const std::shared_ptr<arrow::DataType>& type) {
  const std::shared_ptr<arrow::Array> column = rows.GetColumnByName(name);
  if (column == nullptr) return Status::Invalid("there is no column ", name);
  if (!column->type()->Equals(*type)) {
    return Status::Invalid("column ", name, " is ", column->type()->ToString(), ", not ",
                           type->ToString());
  }
  return std::static_pointer_cast<Array>(column);
}

Status Visit(const arrow::RecordBatch& rows, const OnRow& on_row, RowScan* scan) {
  ARROW_ASSIGN_OR_RAISE(const auto ids,
                        Column<arrow::StringArray>(rows, "kafka_topic_id", arrow::utf8()));
  ARROW_ASSIGN_OR_RAISE(const auto partitions,
                        Column<arrow::Int32Array>(rows, "kafka_partition", arrow::int32()));
  ARROW_ASSIGN_OR_RAISE(const auto offsets,
                        Column<arrow::Int64Array>(rows, "kafka_offset", arrow::int64()));
  for (int64_t i = 0; i < rows.num_rows(); ++i) {
    ++scan->rows;
    const bool known = ids->IsValid(i) && partitions->IsValid(i) && offsets->IsValid(i) &&
                       partitions->Value(i) >= 0 && offsets->Value(i) >= 0;
    if (known) {
      on_row(ids->GetView(i), partitions->Value(i), offsets->Value(i));
    } else {
      ++scan->without_coordinates;
    }
  }
  return Status::OK();
}

}  // namespace

Result<RowScan> ScanCoordinates(lake::ObjectStore* store, const std::string& table_path,
                                const lake::Snapshot& snapshot, const OnRow& on_row,
                                const OnFile& on_file) {
  RowScan scan;
  for (const DataFile& file : snapshot.Files()) {
    ARROW_ASSIGN_OR_RAISE(
        const auto table,
        lake::ReadDataFile(store, table_path, file, snapshot.schema(),
                           {"kafka_topic_id", "kafka_partition", "kafka_offset"}));
    arrow::TableBatchReader batches(*table);
    std::shared_ptr<arrow::RecordBatch> rows;
    while (true) {
      ARROW_RETURN_NOT_OK(batches.ReadNext(&rows));
      if (rows == nullptr) break;
      const Status status = Visit(*rows, on_row, &scan);
      if (!status.ok())
        return status.WithMessage(table_path, "/", file.path, ": ", status.message());
    }
    ARROW_RETURN_NOT_OK(on_file(scan));
  }
  return scan;
}

}  // namespace shopstream::observe
