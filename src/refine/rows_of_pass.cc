#include "refine/rows_of_pass.h"

#include <arrow/array/array_primitive.h>
#include <arrow/scalar.h>

#include <numeric>
#include <utility>
#include <vector>

#include "lake/parquet/file_predicate.h"
#include "refine/columns.h"
#include "refine/dates.h"
#include "sql/lake_rows.h"
#include "tables/typed_column.h"

namespace shopstream::refine {

Result<std::shared_ptr<arrow::RecordBatch>> RowsOfPass(
    lake::ObjectStore* store, const std::string& table_path,
    const std::shared_ptr<const lake::Snapshot>& snapshot, int64_t pass) {
  sql::LakeRows rows(store, table_path, snapshot);
  const auto bound = std::make_shared<arrow::Int64Scalar>(pass);
  rows.Narrow(lake::ColumnRange{.column = kRefinePass, .least = bound, .most = bound});
  std::vector<int> columns(static_cast<size_t>(snapshot->schema()->num_fields()));
  std::iota(columns.begin(), columns.end(), 0);
  ARROW_ASSIGN_OR_RAISE(const auto scan, rows.Open(columns, /*threads=*/1));
  arrow::RecordBatchVector found;
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, scan->Next(0));
    if (batch == nullptr) break;
    ARROW_ASSIGN_OR_RAISE(const auto passes,
                          tables::TypedColumn<arrow::Int64Array>(*batch, kRefinePass));
    std::vector<int32_t> positions;
    for (int64_t i = 0; i < passes->length(); ++i) {
      if (passes->IsValid(i) && passes->Value(i) == pass) {
        positions.push_back(static_cast<int32_t>(i));
      }
    }
    if (positions.empty()) continue;
    ARROW_ASSIGN_OR_RAISE(found.emplace_back(), RowsAt(batch, positions));
  }
  if (found.empty()) return arrow::RecordBatch::MakeEmpty(snapshot->schema());
  return arrow::ConcatenateRecordBatches(found);
}

}  // namespace shopstream::refine
