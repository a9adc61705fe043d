#include "refine/judged_rows.h"

#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "lake/parquet/parquet_file.h"
#include "refine/rules.h"
#include "tables/columns.h"

namespace shopstream::refine {
namespace {

using Arrays = std::map<std::string, std::shared_ptr<arrow::Array>>;

// The columns that are not Bronze's.
Result<Arrays> OwnColumns(const Verdicts& verdicts,
                          const std::shared_ptr<arrow::StringArray>& reasons,
                          const PassStamp& stamp) {
  const int64_t rows = reasons->length();
  Arrays arrays;
  arrays[kEventHour] = verdicts.event_hour;
  arrays[kAmountUsd] = verdicts.amount_usd;
  arrays[kProductCategory] = verdicts.product_category;
  arrays[kLate] = verdicts.late;
  arrays[kReasons] = reasons;
  ARROW_ASSIGN_OR_RAISE(arrays[kRefinePass],
                        arrow::MakeArrayFromScalar(arrow::Int64Scalar(stamp.pass), rows));
  const arrow::TimestampScalar refined_at(stamp.refined_at_ms * 1000, tables::Instant());
  ARROW_ASSIGN_OR_RAISE(arrays[kRefinedAt], arrow::MakeArrayFromScalar(refined_at, rows));
  return arrays;
}

// The columns that a table's files have.
Result<std::shared_ptr<arrow::RecordBatch>> FileColumns(
    const arrow::RecordBatch& rows, const arrow::Schema& table,
    const std::vector<std::string>& partition_columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& field : table.fields()) {
    if (std::ranges::find(partition_columns, field->name()) != partition_columns.end()) continue;
    const int at = rows.schema()->GetFieldIndex(field->name());
    if (at < 0) return Status::Invalid("the rows have no column ", field->name());
    fields.push_back(field);
    arrays.push_back(rows.column(at));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows.num_rows(),
                                  std::move(arrays));
}

// Groups rows by those partition values of Bronze that the table has.
std::vector<lake::PartitionRows> GroupRows(const JudgedRows& judged,
                                           const std::vector<int32_t>& positions,
                                           const std::vector<std::string>& partition_columns) {
  std::map<PartitionValues, std::vector<int32_t>> groups;
  std::vector<std::vector<int32_t>*> group_of(judged.partitions.size());
  for (const int32_t row : positions) {
    const int32_t partition = judged.partition_of_row[row];
    if (group_of[partition] == nullptr) {
      PartitionValues values;
      for (const auto& value : judged.partitions[partition]) {
        if (std::ranges::find(partition_columns, value.first) != partition_columns.end()) {
          values.push_back(value);
        }
      }
      group_of[partition] = &groups[std::move(values)];
    }
    group_of[partition]->push_back(row);
  }
  std::vector<lake::PartitionRows> list;
  for (auto& [values, rows] : groups) list.push_back({values, std::move(rows)});
  return list;
}

Result<std::vector<DataFile>> WriteRows(lake::ObjectStore* store, const lake::TableSpec& table,
                                        const JudgedRows& judged,
                                        const std::vector<int32_t>& positions) {
  if (positions.empty()) return std::vector<DataFile>();
  ARROW_ASSIGN_OR_RAISE(const auto rows,
                        FileColumns(*judged.rows, *table.schema, table.partition_columns));
  return lake::WriteDataFiles(store, table.path, rows,
                              GroupRows(judged, positions, table.partition_columns));
}

void CountNames(std::string_view names, std::map<std::string, int64_t>* counts) {
  for (size_t at = 0; at < names.size();) {
    const size_t comma = std::min(names.find(',', at), names.size());
    ++(*counts)[std::string(names.substr(at, comma - at))];
    at = comma + 1;
  }
}

}  // namespace

Result<JudgedRows> CombineRows(const RefineColumns& columns, const PassRows& rows,
                               const Verdicts& verdicts,
                               const std::shared_ptr<arrow::StringArray>& reasons,
                               const PassStamp& stamp) {
  const int64_t count = rows.rows->num_rows();
  ARROW_ASSIGN_OR_RAISE(Arrays own, OwnColumns(verdicts, reasons, stamp));
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (int i = 0; i < rows.rows->num_columns(); ++i) {
    fields.push_back(rows.rows->schema()->field(i)->WithName(columns.names[i])->WithNullable(true));
    arrays.push_back(rows.rows->column(i));
  }
  for (auto& [name, array] : own) {
    if (array->length() != count) {
      return Status::Invalid("refine judged ", array->length(), " values of ", name, " for ", count,
                             " rows: this is a bug");
    }
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(std::move(array));
  }
  JudgedRows judged{
      .rows = arrow::RecordBatch::Make(arrow::schema(std::move(fields)), count, std::move(arrays)),
      .silver = {},
      .rejects = {},
      .partition_of_row = rows.partition_of_row,
      .partitions = rows.partitions};
  for (int64_t row = 0; row < count; ++row) {
    const bool rejected = reasons->value_length(row) > 0;
    (rejected ? judged.rejects : judged.silver).push_back(static_cast<int32_t>(row));
  }
  return judged;
}

Tally CountRows(const arrow::StringArray& reasons, const arrow::StringArray& warnings) {
  Tally tally;
  tally.rows = reasons.length();
  for (int64_t row = 0; row < tally.rows; ++row) {
    const std::string_view why = reasons.GetView(row);
    if (why.empty()) ++tally.silver;
    CountNames(why, &tally.by_reason);
    if (!warnings.IsNull(row)) CountNames(warnings.GetView(row), &tally.warned);
  }
  return tally;
}

Result<std::vector<DataFile>> WriteSilverRows(lake::ObjectStore* store, const std::string& path,
                                              const RefineColumns& columns,
                                              const JudgedRows& rows) {
  return WriteRows(store, SilverSpec(path, columns), rows, rows.silver);
}

Result<std::vector<DataFile>> WriteRejectedRows(lake::ObjectStore* store, const std::string& path,
                                                const RefineColumns& columns,
                                                const JudgedRows& rows) {
  return WriteRows(store, RejectsSpec(path, columns), rows, rows.rejects);
}

}  // namespace shopstream::refine
