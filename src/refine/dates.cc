#include "refine/dates.h"

#include <arrow/array/array_primitive.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/scalar.h>

#include <utility>

#include "lake/parquet/partition_path.h"
#include "model/calendar.h"
#include "tables/columns.h"
#include "tables/typed_column.h"

namespace shopstream::refine {

Result<std::map<Date, std::vector<int32_t>>> RowsByDate(const arrow::RecordBatch& rows) {
  ARROW_ASSIGN_OR_RAISE(const auto dates,
                        tables::TypedColumn<arrow::Date32Array>(rows, tables::kDate));
  std::map<Date, std::vector<int32_t>> positions;
  for (int64_t i = 0; i < dates->length(); ++i) {
    const Date date = dates->IsNull(i) ? std::nullopt : Date(dates->Value(i));
    positions[date].push_back(static_cast<int32_t>(i));
  }
  return positions;
}

Result<std::shared_ptr<arrow::RecordBatch>> RowsAt(const std::shared_ptr<arrow::RecordBatch>& rows,
                                                   const std::vector<int32_t>& positions) {
  arrow::Int32Builder builder;
  ARROW_RETURN_NOT_OK(builder.AppendValues(positions));
  ARROW_ASSIGN_OR_RAISE(const auto indices, builder.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto taken, arrow::compute::Take(rows, indices));
  return taken.record_batch();
}

Result<Date> DateOf(const PartitionValues& values, const std::string& path) {
  for (const auto& [column, value] : values) {
    if (column != tables::kDate) continue;
    ARROW_ASSIGN_OR_RAISE(const auto scalar, lake::ParsePartitionValue(value, arrow::date32()));
    if (!scalar->is_valid) return std::nullopt;
    return static_cast<const arrow::Date32Scalar&>(*scalar).value;
  }
  return Status::Invalid("file ", path, " is not in a partition of a date");
}

Result<Date> DateOf(const DataFile& file) { return DateOf(file.partition_values, file.path); }

PartitionValues PartitionOf(Date date) {
  return {{tables::kDate, date ? std::optional(FormatDate(*date)) : std::nullopt}};
}

lake::FilePredicate OfDates(const std::vector<Date>& dates) {
  std::vector<lake::FilePredicate> parts;
  for (const Date& date : dates) {
    lake::ColumnRange range{.column = tables::kDate};
    if (date) {
      range.least = std::make_shared<arrow::Date32Scalar>(*date);
      range.most = range.least;
    } else {
      range.is_null = true;
    }
    parts.emplace_back(std::move(range));
  }
  return lake::FilePredicate::AnyOf(std::move(parts));
}

}  // namespace shopstream::refine
