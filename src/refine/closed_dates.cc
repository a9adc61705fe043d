#include "refine/closed_dates.h"

#include <arrow/array/array_primitive.h>
#include <arrow/array/builder_binary.h>

#include <vector>

#include "refine/rules.h"
#include "tables/columns.h"
#include "tables/refine_task.h"
#include "tables/typed_column.h"

namespace shopstream::refine {
namespace {

Result<std::vector<bool>> AreClosed(const ClosedDates& closed, const arrow::RecordBatch& rows) {
  ARROW_ASSIGN_OR_RAISE(const auto dates,
                        tables::TypedColumn<arrow::Date32Array>(rows, tables::kDate));
  std::vector<bool> are_closed(static_cast<size_t>(rows.num_rows()));
  for (int64_t row = 0; row < rows.num_rows(); ++row) {
    are_closed[static_cast<size_t>(row)] =
        dates->IsValid(row) && closed.Contains(dates->Value(row));
  }
  return are_closed;
}

}  // namespace

Result<ClosedDates> ClosedDates::Of(const lake::Snapshot& silver) {
  ARROW_ASSIGN_OR_RAISE(const auto horizon, tables::ReadHorizon(silver));
  return ClosedDates(horizon);
}

Result<std::shared_ptr<arrow::StringArray>> ClosedDates::Reject(
    const arrow::RecordBatch& rows, const std::shared_ptr<arrow::StringArray>& reasons) const {
  if (!horizon_) return reasons;
  ARROW_ASSIGN_OR_RAISE(const std::vector<bool> are_closed, AreClosed(*this, rows));
  arrow::StringBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(rows.num_rows()));
  for (int64_t row = 0; row < rows.num_rows(); ++row) {
    const bool is_closed = are_closed[static_cast<size_t>(row)];
    ARROW_RETURN_NOT_OK(builder.Append(is_closed ? kClosedDate : reasons->GetView(row)));
  }
  std::shared_ptr<arrow::StringArray> rejected;
  ARROW_RETURN_NOT_OK(builder.Finish(&rejected));
  return rejected;
}

Result<std::shared_ptr<arrow::RecordBatch>> ClosedDates::OpenRows(
    const std::shared_ptr<arrow::RecordBatch>& rows) const {
  if (!horizon_) return rows;
  ARROW_ASSIGN_OR_RAISE(const std::vector<bool> are_closed, AreClosed(*this, *rows));
  std::vector<int32_t> open;
  for (size_t row = 0; row < are_closed.size(); ++row) {
    if (!are_closed[row]) open.push_back(static_cast<int32_t>(row));
  }
  if (std::ssize(open) == rows->num_rows()) return rows;
  return RowsAt(rows, open);
}

}  // namespace shopstream::refine
