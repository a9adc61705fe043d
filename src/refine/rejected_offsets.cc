#include "refine/rejected_offsets.h"

#include <arrow/scalar.h>
#include <arrow/table.h>

#include <memory>
#include <vector>

#include "base/probes.h"
#include "lake/parquet/file_predicate.h"
#include "lake/parquet/parquet_file.h"
#include "refine/columns.h"
#include "tables/coordinates.h"
#include "tables/typed_column.h"

namespace shopstream::refine {
namespace {

Status AddRowsOf(int64_t pass, const arrow::RecordBatch& rows, RowOffsets* offsets) {
  ARROW_ASSIGN_OR_RAISE(const auto coordinates, tables::CoordinateColumns::Of(rows));
  ARROW_ASSIGN_OR_RAISE(const auto passes,
                        tables::TypedColumn<arrow::Int64Array>(rows, kRefinePass));
  for (int64_t row = 0; row < rows.num_rows(); ++row) {
    if (passes->IsNull(row) || passes->Value(row) != pass) continue;
    const auto at = coordinates.At(row);
    if (at) (*offsets)[std::string(at->topic_id)].Insert(at->partition, at->offset);
  }
  return Status::OK();
}

}  // namespace

bool Contains(const RowOffsets& offsets, const tables::Coordinates& at) {
  const auto topic = offsets.find(at.topic_id);
  return topic != offsets.end() && topic->second.Contains(at.partition, at.offset);
}

Result<RowOffsets> ReadRejectedOffsets(lake::ObjectStore* store, const std::string& path,
                                       const lake::Snapshot& rejects, int64_t pass) {
  const auto number = std::make_shared<arrow::Int64Scalar>(pass);
  const lake::FilePredicate of_pass(
      lake::ColumnRange{.column = kRefinePass, .least = number, .most = number});
  std::vector<DataFile> files;
  rejects.VisitFiles([&](const DataFile& file) {
    if (of_pass.MayMatch(file)) files.push_back(file);
  });
  std::vector<std::string> columns = tables::CoordinateColumns::Names();
  columns.emplace_back(kRefinePass);
  RowOffsets offsets;
  for (const DataFile& file : files) {
    Probes::OfProcess().Beat();
    ARROW_ASSIGN_OR_RAISE(const auto rows,
                          lake::ReadDataFile(store, path, file, rejects.schema(), columns));
    arrow::TableBatchReader batches(*rows);
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const auto batch, batches.Next());
      if (batch == nullptr) break;
      ARROW_RETURN_NOT_OK(AddRowsOf(pass, *batch, &offsets));
    }
  }
  return offsets;
}

}  // namespace shopstream::refine
