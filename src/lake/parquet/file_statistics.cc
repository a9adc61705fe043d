#include "lake/parquet/file_statistics.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>

#include <memory>
#include <utility>
#include <vector>

#include "lake/parquet/column_statistics.h"
#include "lake/parquet/data_file_stream.h"
#include "lake/parquet/value_facts.h"
#include "lake/store/store_input.h"

namespace shopstream::lake {
namespace {

struct Footer {
  int64_t rows = 0;
  std::vector<ColumnFacts> columns;
};

Result<Footer> ReadFooter(ObjectStore* store, const std::string& path,
                          std::vector<ColumnFacts> columns) {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  ARROW_ASSIGN_OR_RAISE(auto input, store->OpenInput(path));
  const auto reader = parquet::ParquetFileReader::Open(std::move(input));
  Footer footer{reader->metadata()->num_rows(), std::move(columns)};
  ARROW_RETURN_NOT_OK(FillFromFooter(*reader->metadata(), &footer.columns));
  return footer;
  END_PARQUET_CATCH_EXCEPTIONS
}

// Whether a column's values must be examined: no footer shows NaN.
bool NeedsValues(const ColumnFacts& column, int64_t rows) {
  if (column.null_count && *column.null_count == rows) return false;
  return arrow::is_floating(column.type->id()) || !IsBounded(column, rows);
}

}  // namespace

Result<std::string> ComputeStatistics(ObjectStore* store, const std::string& table_path,
                                      const DataFile& file, const arrow::Schema& table_schema) {
  const std::string path = table_path + "/" + file.path;
  auto footer = ReadFooter(store, path, ColumnsWithStatistics(table_schema, file.partition_values));
  if (!footer.ok()) {
    return CannotRead(path, footer.status());
  }
  if (!KeepsStatistics(table_schema)) {
    return StatisticsJson(footer->rows, footer->columns, table_schema);
  }
  arrow::FieldVector fields;
  std::vector<ValueFacts> gathered;
  for (const ColumnFacts& column : footer->columns) {
    if (!NeedsValues(column, footer->rows)) continue;
    if (!fields.empty() && fields.back()->name() == column.path[0]) continue;
    fields.push_back(table_schema.GetFieldByName(column.path[0]));
    gathered.emplace_back(*fields.back());
  }
  if (fields.empty()) return StatisticsJson(footer->rows, footer->columns, table_schema);
  ARROW_ASSIGN_OR_RAISE(
      const auto reader,
      DataFileReader::Open(store, table_path, file, arrow::schema(fields), StreamMemory()));
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto rows, reader->Next());
    if (rows == nullptr) break;
    for (size_t i = 0; i < gathered.size(); ++i) {
      ARROW_RETURN_NOT_OK(gathered[i].Add(*rows->column(static_cast<int>(i))));
    }
  }
  for (const ValueFacts& values : gathered) {
    ReplaceFacts(values.columns(), &footer->columns);
  }
  return StatisticsJson(footer->rows, footer->columns, table_schema);
}

}  // namespace shopstream::lake
